"""The picture modality: size policy, codec, drawing."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage
from PIL import ImageFont

from ganwright.core.config import field_docs, from_plain, to_plain
from ganwright.core.errors import UsageError
from ganwright.data import picture_decoding
from ganwright.data.image_size import choose_channels, choose_size
from ganwright.data.modalities.base import MODALITIES, Modality
from ganwright.data.modalities.image import Image, ImageCodec
from ganwright.data.picture_decoding import PicturePolicy
from ganwright.data.picture_fitting import fit_picture
from ganwright.data.pictures import picture_grid, shortened
from ganwright.data.preparation import prepare

CODECS = [ImageCodec(PicturePolicy(6, 10, channels), ("a", "b")) for channels in (1, 3, 4)]


@pytest.mark.parametrize(
    ("shapes", "wanted", "size"),
    [
        ({(64, 64): 9}, None, (64, 64)),
        ({(128, 96): 9}, None, (128, 96)),
        ({(28, 28): 9}, None, (28, 28)),
        ({(1080, 1920): 9}, None, (64, 112)),
        ({(512, 512): 9}, None, (64, 64)),
        ({(100, 9000): 9}, None, (64, 256)),
        ({(40, 50): 5, (300, 200): 4}, None, (40, 40)),
        ({(400, 500): 5, (300, 200): 4}, None, (64, 64)),
        ({(400, 500): 5}, 32, (32, 32)),
        ({(400, 500): 5}, (32, 48), (32, 48)),
    ],
)
def test_size_policy(
    shapes: dict[tuple[int, int], int], wanted: tuple[int, int] | int | None, size: tuple[int, int]
) -> None:
    chosen = choose_size(shapes, wanted)
    assert (chosen.height, chosen.width) == size


def test_the_policy_says_what_it_does() -> None:
    assert choose_size({(64, 64): 9}, None).reason == "the size of all pictures"
    assert choose_size({(480, 640): 8, (50, 50): 1}, 64).reason == (
        "from 2 sizes, most often 640x480, short side resized, centre kept, 1 of them enlarged"
    )


def test_the_majority_decides_on_colour() -> None:
    assert choose_channels({"grey": 5, "colour": 4}) == 1
    assert choose_channels({"grey": 4, "colour": 4}) == 3
    assert choose_channels({"alpha": 9, "colour": 4}) == 4


@pytest.mark.parametrize("codec", CODECS, ids=["grey", "colour", "alpha"])
def test_expand_and_decode_are_inverse(codec: ImageCodec) -> None:
    channels, height, width = codec.spec.shape
    stored = torch.randint(0, 256, (16, height, width, channels), dtype=torch.uint8)
    x = codec.expand({"x": stored})
    assert x.shape == (16, channels, height, width)
    assert x.dtype == torch.float32
    assert x.is_contiguous(memory_format=torch.channels_last)
    assert -1 <= x.min() <= x.max() <= 1
    pictures = codec.decode(x)
    assert {picture.mode for picture in pictures} == {{1: "L", 3: "RGB", 4: "RGBA"}[channels]}
    assert (np.stack([np.asarray(p).reshape(height, width, channels) for p in pictures]) == stored.numpy()).all()


def test_decode_survives_numbers_out_of_range() -> None:
    x = torch.tensor([-9.0, 9.0, float("nan"), float("inf"), 0.0, 1.0]).expand(1, 1, 10, 6).transpose(2, 3)
    assert np.asarray(CODECS[0].decode(x)[0])[:, 0].tolist() == [0, 255, 128, 255, 128, 255]


@pytest.mark.parametrize("codec", CODECS, ids=["grey", "colour", "alpha"])
def test_state_makes_the_codec_again(codec: ImageCodec) -> None:
    again = ImageCodec.from_state(json.loads(json.dumps(codec.state())), {})
    assert again.spec == codec.spec
    assert again.conditions == codec.conditions
    assert again.state() == codec.state()


@pytest.mark.parametrize(
    "change",
    [
        {"height": 0},
        {"height": 10**9},
        {"height": True},
        {"width": "64"},
        {"width": 1.5},
        {"channels": 2},
        {"channels": None},
        {"background": "pink"},
        {"background": ["white"]},
        {"min_side": -1},
        {"classes": "abc"},
        {"classes": [1]},
        {"classes": [{}]},
        {"classes": ["a", "a"]},
        {"classes": ["x" * 5000]},
        {"classes": [str(i) for i in range(70_000)]},
        {"counts": [1]},
        {"counts": [0, 0]},
        {"counts": [1.0, 2]},
        {"counts": "12"},
        {"extra": 1},
        {"height": 16_384, "width": 16_384, "channels": 4},
    ],
    ids=lambda change: ",".join(change),
)
def test_hostile_states_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        ImageCodec.from_state({**CODECS[1].state(), **change}, {})


def test_incomplete_states_are_refused() -> None:
    for name in CODECS[0].state():
        state = CODECS[0].state()
        del state[name]
        if name != "classes":
            with pytest.raises(ValueError, match="not the state"):
                ImageCodec.from_state(state, {})


def test_descriptions() -> None:
    assert [codec.describe() for codec in CODECS] == ["10x6 grey", "10x6 colour", "10x6 colour+alpha"]


def test_settings_are_documented_and_survive_plain_values() -> None:
    known = {"size", "usual_size", "channels", "background", "min_side", "dedupe", "conditions", "unlabelled"}
    assert set(field_docs(Image)) == known
    for settings in (Image(), Image(size=32), Image(size=(32, 48), channels=3, background="black", min_side=1, dedupe=True)):
        plain = json.loads(json.dumps(to_plain(settings)))
        assert plain["name"] == "image"
        assert from_plain(Modality, plain) == settings
    assert "image" in MODALITIES


@pytest.mark.parametrize(
    "bad", [{"size": 0}, {"size": (8, 99999)}, {"channels": 2}, {"background": "pink"}, {"min_side": 0}]
)
def test_impossible_settings_are_usage_errors(bad: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Image(**bad)  # type: ignore[arg-type]


def test_a_grid_enlarges_tiny_pictures_by_whole_factors() -> None:
    tiny = PillowImage.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8))
    grid = picture_grid([tiny] * 5, columns=3)
    assert grid.mode == "RGB"
    assert grid.size == (3 * 64 + 4 * 2, 2 * 64 + 3 * 2)
    tile = np.asarray(grid)[2:66, 2:66, 0]
    assert (tile == np.asarray(tiny).repeat(8, 0).repeat(8, 1)).all()
    assert picture_grid([PillowImage.new("L", (100, 100))], columns=8).size == (104, 104)


def test_a_grid_shows_transparency() -> None:
    clear = PillowImage.new("RGBA", (64, 64), (255, 0, 0, 0))
    tile = np.asarray(picture_grid([clear], columns=1))[2:66, 2:66]
    assert set(np.unique(tile)) == {225, 255}


def test_a_title_stands_above_a_grid_and_fits() -> None:
    tile = PillowImage.new("RGB", (64, 64), (255, 0, 0))
    plain = picture_grid([tile] * 2, 2)
    for title in ("cats", "cats " * 100, "猫", "a\nb", "\x1b[31m"):
        titled = picture_grid([tile] * 2, 2, title)
        assert titled.width == plain.width
        strip = np.asarray(titled)[: -plain.height]
        assert (np.asarray(titled)[-plain.height :] == np.asarray(plain)).all()
        assert strip.min() < 100
        assert (strip[:, -2:] == 255).all()
    assert picture_grid([tile], 1, " ").size == picture_grid([tile], 1).size


def test_lines_are_shortened_to_their_width() -> None:
    font = ImageFont.load_default(15)
    for width in (0, 5, 40, 100, 1000):
        text = shortened("twelve cats, step 1,200", font, width)
        assert font.getlength(text) <= width
    assert text == "twelve cats, step 1,200"
    assert shortened("twelve cats, step 1,200", font, 100).endswith("…")
    assert shortened("Größe — 猫", font, 1000) == "Gro?e - ?"


def test_pictures_are_written_with_their_numbers(tmp_path: Path) -> None:
    objects = [PillowImage.new("RGBA", (10, 6), (i, 2, 3, 4)) for i in range(3)]
    paths = CODECS[2].write(objects, tmp_path / "out", first=98)
    assert [path.name for path in paths] == ["000098.png", "000099.png", "000100.png"]
    with PillowImage.open(paths[2]) as picture:
        assert picture.getpixel((0, 0)) == (2, 2, 3, 4)


def test_arrays_follow_the_same_policy_as_files() -> None:
    colour = np.random.default_rng(0).integers(0, 256, (6, 20, 30, 3), np.uint8)
    data = prepare(colour, Image(size=16, channels=1))
    assert data.codec.spec.shape == (1, 16, 16)
    assert data.batch(np.arange(6))["x"].shape == (6, 16, 16, 1)
    assert prepare([colour[0], colour[1, :12], colour[2], colour[3]]).codec.spec.shape == (3, 20, 20)


def test_classes_become_numbers_in_natural_order() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (4, 8, 8), np.uint8)
    data = prepare((pictures, [10, 9, 10, 2]))
    assert data.codec.conditions[0].classes == ("2", "9", "10")
    assert data.codec.conditions[0].counts == (1, 1, 2)
    again = ImageCodec.from_state(json.loads(json.dumps(data.codec.state())), {})
    assert again.conditions == data.codec.conditions
    assert data.labels is not None
    assert data.labels.tolist() == [2, 1, 2, 0]
    assert prepare((pictures, [1, 1, 1, 1])).labels is None


def test_a_state_without_counts_is_of_an_older_file() -> None:
    state = CODECS[0].state()
    assert "counts" not in state
    assert ImageCodec.from_state(state, {}).conditions[0].counts == ()


def test_a_large_photo_is_reduced_without_aliasing(tmp_path: Path) -> None:
    stripes = np.tile(np.array([0, 255], np.uint8), (1200, 600))
    for i in range(4):
        PillowImage.fromarray(stripes).save(tmp_path / f"{i}.jpg", quality=95)
    data = prepare(tmp_path)
    assert data.codec.spec.shape == (1, 64, 64)
    pixels = data.batch(np.array([0]))["x"].float()
    assert pixels.std() < 4
    assert abs(pixels.mean() - 127.5) < 4


@pytest.mark.parametrize(
    ("size", "decoded"),
    [((512, 512), (128, 128)), ((500, 1000), (250, 500)), ((256, 256), (128, 128)), ((200, 300), (200, 300))],
)
def test_a_jpeg_is_decoded_at_no_more_than_is_needed(
    size: tuple[int, int], decoded: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = io.BytesIO()
    PillowImage.new("RGB", size).save(content, "JPEG")
    fitted: list[tuple[int, int]] = []

    def fit(image: PillowImage.Image, *wanted: Any) -> np.ndarray:
        fitted.append(image.size)
        return fit_picture(image, *wanted)

    monkeypatch.setattr(picture_decoding, "fit_picture", fit)
    pixels, _ = picture_decoding.decode(content.getvalue(), "photo.jpg", PicturePolicy(64, 64, 3))
    assert pixels.shape == (64, 64, 3)
    assert fitted == [decoded]


@pytest.mark.parametrize("size", ["16x24", (16,), (16.5, 16), [16, 16, 3]])
def test_a_size_that_is_none_is_told_of(size: Any) -> None:
    with pytest.raises(UsageError, match="size must be a side, or"):
        Image(size=size)


def test_a_size_may_be_a_number_of_numpys() -> None:
    size: Any = np.int64(16)
    pictures = np.random.default_rng(0).integers(0, 256, (8, 20, 20), np.uint8)
    assert prepare(pictures, Image(size=size)).codec.spec.shape == (1, 16, 16)
