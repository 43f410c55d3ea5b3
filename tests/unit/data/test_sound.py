"""The codec of sounds, and how rate, length and labels are chosen."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
import torch
from recordings import RATE, choir, record, tone
from support import tiny_sounds

from ganwright.core.errors import DataError, UsageError
from ganwright.data.modalities.sound import Sound, SoundCodec
from ganwright.data.name_pattern import NamePattern
from ganwright.data.ownership import is_ours
from ganwright.data.preparation import prepare
from ganwright.data.sound_fitting import LOUDEST
from ganwright.data.sound_length import choose_size, frames_and_hop
from ganwright.data.sounds import Clip, in_a_row, wav_bytes


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANWRIGHT_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize(("rate", "seconds"), [(8000, 1.0), (16_000, 1.0), (44_100, 2.0), (22_050, 0.1), (8000, 0.05)])
def test_lengths_suit_networks_that_halve(rate: int, seconds: float) -> None:
    frames, hop = frames_and_hop(rate, seconds)
    assert frames % 16 == 0
    assert frames >= 32
    assert seconds - 1e-9 <= frames * hop / rate <= 1.25 * seconds
    assert hop / rate <= 0.0165


def test_a_second_is_a_second() -> None:
    assert [frames_and_hop(rate, 1.0) for rate in (8_000, 16_000)] == [(64, 125), (64, 250)]


def test_the_length_covers_nearly_all_recordings() -> None:
    shapes = {(8000, 4000): 97, (8000, 8000): 2, (16_000, 160_000): 1}
    size = choose_size(shapes, None, None)
    assert size.rate == 8000
    assert 1.0 <= size.frames * size.hop / 8000 < 1.05
    assert "the rate of 99 of 100 sounds" in size.reason
    asked = choose_size(shapes, 16_000, 0.5)
    assert (asked.rate, asked.frames * asked.hop, asked.reason) == (16_000, 8000, "")


@pytest.mark.parametrize(
    ("pattern", "path", "facts"),
    [
        ("{label}_*.wav", "a/7_jackson_32.wav", {"label": "7"}),
        ("{label}_{speaker}_*", "7_jackson_32.wav", {"label": "7", "speaker": "jackson"}),
        ("*-{label}", "x/one-two.flac", {"label": "two"}),
        ("{speaker}/{label}.wav", "anna/seven.wav", {"speaker": "anna", "label": "seven"}),
        ("{label}_*.wav", "noise.wav", {"label": ""}),
        ("{label}.wav", "a+b(c).wav", {"label": "a+b(c)"}),
    ],
)
def test_a_label_is_read_from_a_name(pattern: str, path: str, facts: dict[str, str]) -> None:
    assert NamePattern(pattern).facts(path) == facts


@pytest.mark.parametrize("pattern", ["*.wav", "{}_*.wav", "{label}_{label}", "{la bel}", "{label", "{label}" + "x" * 300])
def test_a_pattern_that_tells_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(UsageError, match=r"name|letters"):
        Sound(label_from=pattern)


def test_labels_come_from_names_and_the_codec_keeps_the_pattern(tmp_path: Path) -> None:
    for number in range(8):
        record(tmp_path / "set" / f"{'low' if number < 4 else 'high'}_ann_{number}.wav", tone(200 + 50 * number))
    record(tmp_path / "set" / "other.wav", tone())
    data = prepare(tmp_path / "set", Sound(label_from="{label}_{speaker}_*.wav"))
    condition = data.class_condition
    assert condition is not None
    assert condition.classes == ("high", "low")
    assert any("1 with names unlike" in note for note in data.report.notes)
    # The model file's codec reads other recordings in the same way, with nothing said again.
    codec = SoundCodec.from_state(data.codec.state(), {})
    again = prepare(tmp_path / "set", codec=codec)
    assert np.array_equal(again.labels, data.labels)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="no name is like"):
        prepare(tmp_path / "set", Sound(label_from="{label}+*.wav"))


def test_all_are_brought_to_one_peak_unless_kept(tmp_path: Path) -> None:
    folder = choir(tmp_path / "set", 4)
    record(folder / "soft.wav", tone(peak=0.05))
    peaks = [np.abs(prepare(folder, Sound(volume=volume)).columns["x"]).max(1) / 32_767 for volume in ("even", "kept")]
    np.testing.assert_allclose(peaks[0], LOUDEST, atol=1e-3)
    assert peaks[1].min() == pytest.approx(0.05, abs=2e-3)
    assert peaks[1].max() == pytest.approx(0.5, abs=2e-3)


def test_a_cut_fades_out_and_a_short_one_is_followed_by_silence(tmp_path: Path) -> None:
    folder = choir(tmp_path / "set", 4)
    record(folder / "x.wav", np.full(8000, 0.5) * np.sign(tone(seconds=1.0)))
    x = prepare(folder, Sound(seconds=0.5)).columns["x"].astype(np.float64) / 32_767
    assert abs(x[4, -1]) < 0.01
    assert np.abs(x[4, -200:-100]).min() > 0.8
    assert np.abs(x[0, :2400]).max() > 0.8
    assert not x[0, 2400:].any()


@pytest.mark.parametrize("representation", ["spectrogram", "waveform"])
def test_what_is_packed_is_seen_and_heard_again(representation: str) -> None:
    data = tiny_sounds(representation=representation)  # type: ignore[arg-type]
    codec = data.codec
    x = codec.expand(data.some(16))
    assert x.shape == (16, *codec.spec.shape)
    assert float(x.abs().max()) <= 1
    heard = codec.decode(x)
    assert len(heard) == 16
    assert heard[0].rate == 8000
    assert heard[0].samples.shape == (512,)
    if representation == "waveform":
        np.testing.assert_allclose(heard[3].samples, data.columns["x"][3] / 32_767, atol=1e-4)
    # What is written and read again is seen as it was written.
    assert codec.as_recorded(codec.as_recorded(x)).shape == x.shape
    assert codec.measured(x).shape == (16, *codec.measured_spec.shape)
    assert codec.measured_spec.kind == "spectrogram"


def test_values_that_are_no_numbers_become_silence() -> None:
    codec = tiny_sounds().codec
    made = codec.decode(torch.full((1, *codec.spec.shape), float("nan")))
    assert np.isfinite(made[0].samples).all()


@pytest.mark.parametrize(
    "lie",
    [
        {"rate": 0},
        {"rate": 10**12},
        {"rate": 8000.5},
        {"samples": 10**12},
        {"samples": 513},
        {"frames": 0},
        {"bands": 10**9},
        {"hop": -1},
        {"representation": "midi"},
        {"label_from": 5},
        {"label_from": "*"},
        {"volume": "loud"},
        {"more": 1},
    ],
)
def test_a_hostile_state_is_refused(lie: dict[str, object]) -> None:
    state = tiny_sounds().codec.state()
    assert SoundCodec.from_state(state, {}).state() == state
    with pytest.raises(ValueError, match=r"."):
        SoundCodec.from_state(state | lie, {})


def test_a_wav_file_is_one_that_others_read_and_we_know(tmp_path: Path) -> None:
    sound = Clip(tone().astype(np.float32), RATE)
    path = sound.save(tmp_path / "x.wav")
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth(), file.getnframes()) == (RATE, 1, 2, 2400)
        read = np.frombuffer(file.readframes(2400), "<i2") / 32_767
    np.testing.assert_allclose(read, sound.samples, atol=1e-4)
    assert is_ours(path)
    assert not is_ours(record(tmp_path / "other.wav", tone()))
    assert "data:audio/wav;base64," in sound._repr_html_()


def test_sounds_in_a_row_have_pauses() -> None:
    sound = Clip(np.ones(100, np.float32), 1000)
    row = in_a_row([sound, sound])
    assert len(row.samples) == 100 + 150 + 100
    assert not row.samples[100:250].any()
    assert wav_bytes(row)[:4] == b"RIFF"


def test_arrays_are_sounds_where_their_rate_is_said() -> None:
    arrays = np.stack([tone(200 + 20 * number) for number in range(8)])
    data = prepare(arrays, Sound(rate=RATE))
    assert data.report.used == 8
    assert data.codec.spec.kind == "spectrogram"
    with pytest.raises(UsageError, match="how many samples a second"):
        prepare(arrays, Sound())


def test_a_folder_is_one_of_sounds_where_it_holds_more_of_them(tmp_path: Path) -> None:
    folder = choir(tmp_path / "set", 4)
    (folder / "cover.png").write_bytes(b"x")
    data = prepare(folder)
    assert data.codec.modality == "sound"
    assert [group.reason for group in data.report.skipped] == ["not a sound (.png)"]
