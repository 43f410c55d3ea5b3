"""The way from sample to sample."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from support import TINY, tiny_contents

from ganwright import GAN
from ganwright.cli.app import run as command
from ganwright.core.errors import UsageError
from ganwright.data.films import FILMS
from ganwright.data.spec import Condition
from ganwright.model.interpolation import Interpolation, spherical, straight
from ganwright.model.model import Model
from ganwright.model.model_file import ModelContents


@pytest.fixture
def model() -> Model:
    return Model(tiny_contents())


def frames(way: Interpolation) -> torch.Tensor:
    return torch.cat(list(way.tensors()))


@pytest.mark.parametrize("loop", [False, True])
def test_a_way_leads_through_its_samples(model: Model, loop: bool) -> None:
    way = model.interpolate(samples=[3, 70, 1], seed=5, frames=40, loop=loop)
    made = frames(way)
    assert len(made) == len(way) == (120 if loop else 81)
    samples = model.tensor(71, seed=5)
    for frame, number in ((0, 3), (40, 70), (80, 1)):
        torch.testing.assert_close(made[frame], samples[number])
    assert not torch.allclose(made[20], samples[3], atol=0.01)
    pictures = list(way)
    assert len(pictures) == len(way)
    assert isinstance(pictures[0], Image.Image)


def test_samples_are_the_first_ones_or_those_of_seeds(model: Model) -> None:
    first = frames(model.interpolate(3, seed=5, frames=2))
    torch.testing.assert_close(first[::2], model.tensor(3, seed=5))
    others = frames(model.interpolate(seeds=[4, 9], frames=2))
    torch.testing.assert_close(others[::2], torch.cat([model.tensor(1, seed=4), model.tensor(1, seed=9)]))


def test_a_frame_does_not_depend_on_how_many_there_are(model: Model) -> None:
    few, many = frames(model.interpolate(2, frames=10)), frames(model.interpolate(20, frames=10))
    assert torch.equal(few[:10], many[:10])


def test_arcs_keep_the_length_and_straight_lines_stay_in_the_cube() -> None:
    one, other = torch.randn(2, 50, 64, generator=torch.Generator().manual_seed(0)).unbind()
    one, other = (each / each.norm(dim=1, keepdim=True) for each in (one, other))
    part = torch.linspace(0, 1, 50)[:, None]
    on_arc = spherical(one, other, part)
    torch.testing.assert_close(on_arc.norm(dim=1), torch.ones(50))
    assert torch.equal(on_arc[0], one[0])
    # Evenly along the arc: a third of the way is a third of the angle.
    third = spherical(one[:1], other[:1], torch.full((1, 1), 1 / 3))
    angles = [torch.cosine_similarity(one[:1], each).acos() for each in (third, other[:1])]
    torch.testing.assert_close(angles[0] * 3, angles[1], rtol=1e-4, atol=1e-4)
    assert straight(one, other, part).norm(dim=1)[25] < 0.9
    cube = torch.rand(2, 50, 64) * 2 - 1
    assert straight(cube[0], cube[1], part).abs().max() <= 1


@pytest.mark.parametrize("other", [1.0, -1.0, 2.0])
def test_parallel_vectors_have_a_way_too(other: float) -> None:
    one = torch.ones(3, 4)
    way = spherical(one, other * one, torch.tensor([[0.0], [0.5], [1.0]]))
    torch.testing.assert_close(way[[0, 2]], torch.stack([one[0], other * one[0]]))
    assert way.isfinite().all()
    assert spherical(torch.ones(1, 1), torch.full((1, 1), -2.0), torch.full((1, 1), 0.25)) == 0.25


@pytest.mark.parametrize("noise", ["normal", "uniform", "truncated", "sphere", "signs"])
def test_every_distribution_has_its_way(model: Model, noise: Any) -> None:
    way = model.interpolate(3, frames=8, noise=noise, loop=True)
    latents = way.latents(0, len(way)).flatten(1)
    torch.testing.assert_close(frames(way)[::8], model.tensor(3, noise=noise))
    if noise == "uniform":
        assert latents.abs().max() <= 1
    if noise in ("sphere", "signs"):
        torch.testing.assert_close(latents.norm(dim=1), torch.full((24,), 8**0.5))


def test_truncation_is_heard(model: Model) -> None:
    torch.testing.assert_close(
        frames(model.interpolate(2, frames=4, truncation=0.5))[[0, 4]], model.tensor(2, truncation=0.5)
    )


def conditional() -> Model:
    contents = tiny_contents(classes=("cat", "dog", "owl"))
    condition = Condition("label", ("cat", "dog", "owl"), (1, 1, 1))
    spec = contents.codec.spec.__class__("image", (1, 8, 8), "tanh", (condition,))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator = TINY.generator(spec)
        generator.conditions.tables[0].weight.data.mul_(20)  # type: ignore[union-attr, index]
    return Model(ModelContents(TINY, spec, contents.codec, generator.requires_grad_(False), {}))


def test_the_class_is_one_all_the_way() -> None:
    model = conditional()
    owls = frames(model.interpolate(samples=[2, 5], frames=4, label="owl"))
    torch.testing.assert_close(owls[[0, 4]], model.tensor(6, label="owl")[[2, 5]])
    # Where nothing is said, it is that of the first sample.
    torch.testing.assert_close(frames(model.interpolate(samples=[2, 5], frames=4))[0], model.tensor(3)[2])
    with pytest.raises(UsageError, match="'ape' is not one"):
        model.interpolate(label="ape")


def trained() -> Model:
    """Of soft spots, which may lie anywhere."""
    random = np.random.default_rng(0)
    y, x = random.uniform(4, 12, (2, 200, 1, 1))
    rows, columns = np.ogrid[:16, :16]
    spots = 255 * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 18)
    settings = {"network": {"width": 8, "latent": 16}, "scoring": {"share": 0.0}}
    return GAN("dcgan", settings=settings).fit(spots.astype(np.uint8), steps=60).model_


def test_a_film_has_one_class() -> None:
    with pytest.raises(UsageError, match="label: 2 values for one film"):
        conditional().interpolate(3, label=["cat", "dog"])


def test_the_way_through_a_trained_model_is_smooth() -> None:
    assert trained().interpolate(4, frames=24, loop=True).largest_step_over_median() < 3


def test_a_jump_shows(model: Model) -> None:
    class Jumping(Interpolation):
        def tensors(self) -> Iterator[torch.Tensor]:
            for block in super().tensors():
                yield torch.cat([block[:30], -block[30:]])

    way = model.interpolate(2, frames=60)
    jumping = Jumping(**vars(way))
    assert way.largest_step_over_median() < 3
    assert jumping.largest_step_over_median() > 5


@pytest.mark.parametrize("name", ["film.gif", "film.webp", "grid.png", "frames"])
def test_a_way_is_written_as_its_name_says(model: Model, name: str, tmp_path: Path) -> None:
    way = model.interpolate(3, frames=40, loop=True)
    film = way.save(tmp_path / name, fps=20, measure=True)
    assert film.frames == 120
    assert film.largest_step_over_median == pytest.approx(way.largest_step_over_median())
    assert len(film.files) == (120 if name == "frames" else 1)
    assert all(path.is_file() for path in film.files)
    with Image.open(film.files[0]) as picture:
        assert getattr(picture, "n_frames", 1) == (120 if Path(name).suffix in FILMS else 1)
        assert picture.size == {"frames": (8, 8), "grid.png": (41 * 66 + 2, 3 * 66 + 2)}.get(name, (128, 128))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n": 1}, "two samples at least"),
        ({"frames": 0}, "at least 1"),
        ({"samples": [0, 1], "seeds": [0, 1]}, "not both"),
        ({"samples": [0, -1]}, "numbered from 0"),
        ({"truncation": 2}, "truncation"),
    ],
)
def test_ways_that_are_none_are_refused(model: Model, options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        model.interpolate(**options)


def test_rows_have_no_films() -> None:
    rows = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    gan = GAN("mlp").fit(rows, steps=1)
    with pytest.raises(UsageError, match="nothing in between"):
        gan.interpolate()


def test_what_cannot_be_written_is_refused_before_anything_is_made(model: Model, tmp_path: Path) -> None:
    way = model.interpolate(2)
    for name, fps in (("film.mp4", 24), ("film.gif", 0), ("film.gif", 51), ("film.gif", float("nan"))):
        with pytest.raises(UsageError):
            way.save(tmp_path / name, fps=fps)
    with pytest.raises(UsageError, match="too many for one picture"):
        model.interpolate(200, frames=100).save(tmp_path / "grid.png")
    assert list(tmp_path.iterdir()) == []


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    Model(tiny_contents()).save("model.safetensors")
    line = ["interpolate", "model.safetensors", "--frames", "5", "-o", "film.gif"]
    assert command([*line, "--seeds", "1,5,9", "--loop", "--json"]) == 0
    told = capsys.readouterr()
    assert '"frames": 15' in told.out
    assert '"largest_step_over_median": ' in told.out
    # Its own film is written over, anyone else's is not.
    assert command([*line, "-n", "3"]) == 0
    assert "11 pictures (8x8 grey), 0.5 s → film.gif" in capsys.readouterr().out
    (tmp_path / "film.gif").write_bytes(b"GIF89a of someone else")
    assert command(line) == 3
    assert command([*line, "--seeds", "1,x"]) == 2
    assert command([*line, "-n", "3", "--seeds", "1,5"]) == 2
