"""What people have in folders of recordings. The names are the rows of the table of faults."""

from __future__ import annotations

import struct
import time
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from recordings import RATE, choir, record, tone

from ganwright.core.errors import DataError
from ganwright.data.dataset import Dataset
from ganwright.data.modalities.sound import Sound
from ganwright.data.preparation import prepare
from ganwright.data.sound_decoding import decode, probe
from ganwright.data.sound_fitting import FULL, LOUDEST, SoundFault, SoundPolicy

POLICY = SoundPolicy(RATE, 4096)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANWRIGHT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with six good tones of 0.3 seconds at 8 kHz."""
    return choir(tmp_path / "tones")


def skipped(data: Dataset) -> dict[str, int]:
    return {group.reason: group.count for group in data.report.skipped}


def notes(data: Dataset) -> str:
    return " | ".join(data.report.notes)


def samples(data: Dataset, index: int) -> np.ndarray:
    return data.batch(np.array([index]))["x"][0].numpy().astype(np.float64) / FULL


def wav(rate: int, channels: int, said: int, data: bytes) -> bytes:
    """A WAV file whose header says what it likes."""
    form = struct.pack("<HHIIHH", 1, channels, rate, 2 * rate * channels, 2 * channels, 16)
    body = b"fmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", said) + data
    return b"RIFF" + struct.pack("<I", min(said + 36, 0xFFFFFFFE)) + b"WAVE" + body


def pitch(wave: np.ndarray, rate: int) -> float:
    """Of the loudest tone, in hertz."""
    return float(np.abs(np.fft.rfft(wave * np.hanning(len(wave)))).argmax() * rate / len(wave))


def test_W1_mixed_rates_are_brought_to_that_of_most_and_it_is_said(folder: Path) -> None:
    record(folder / "x.wav", tone(1000, rate=44_100), 44_100)
    record(folder / "y.flac", tone(1000, rate=48_000), 48_000)
    data = prepare(folder)
    assert data.codec.state()["rate"] == RATE
    assert "the rate of 6 of 8 sounds" in data.report.size
    assert "2 resampled to 8,000 Hz" in notes(data)
    for place in (6, 7):
        assert pitch(samples(data, place)[:2400], RATE) == pytest.approx(1000, abs=5)


def test_W1_resampling_leaves_no_echo_of_what_is_too_high(folder: Path) -> None:
    """A tone of 7 kHz cannot be heard at 8,000 samples a second; badly resampled it would come back as one of 1 kHz."""
    high, low = tone(7000, rate=48_000), tone(500, rate=48_000, peak=0.1)
    record(folder / "x.wav", high + low, 48_000)
    wave = samples(prepare(folder, Sound(rate=RATE)), 6)[:2400]
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(2400)))
    assert spectrum[300] < 0.002 * spectrum[150]


def test_W2_several_channels_are_mixed_down_and_it_is_said(folder: Path) -> None:
    record(folder / "x.wav", np.stack([tone(500), np.zeros(2400)], 1))
    record(folder / "y.ogg", np.stack([tone(500)] * 2, 1))
    data = prepare(folder)
    assert "2 of several channels mixed down to one" in notes(data)
    assert pitch(samples(data, 6)[:2400], RATE) == pytest.approx(500, abs=5)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_W3_every_width_is_read(folder: Path, subtype: str) -> None:
    record(folder / "x.wav", tone(500), subtype=subtype)
    data = prepare(folder)
    assert data.report.used == 7
    np.testing.assert_allclose(samples(data, 6)[:2400], tone(500, peak=LOUDEST), atol=0.02)


def test_W3_values_that_are_no_numbers_are_silent(folder: Path) -> None:
    wave = tone(500)
    wave[100:110] = np.nan
    record(folder / "x.wav", wave, subtype="FLOAT")
    data = prepare(folder)
    assert "1 with values that are no numbers" in notes(data)
    assert np.isfinite(samples(data, 6)).all()


def test_W4_empty_recordings_and_empty_files_are_skipped_and_listed(folder: Path) -> None:
    record(folder / "nothing.wav", np.zeros(0))
    (folder / "zero.wav").touch()
    (folder / "notes.txt").write_text("hello")
    data = prepare(folder)
    assert skipped(data) == {"empty recording": 1, "empty file": 1, "not a sound (.txt)": 1}
    assert any("skip 3 → " in line for line in data.report.lines())


@pytest.mark.parametrize(("rate", "channels"), [(0, 1), (8000, 0), (1, 1), (2_000_000_000, 1), (8000, 30_000)])
def test_W5_impossible_rates_and_channels_are_refused(folder: Path, rate: int, channels: int) -> None:
    (folder / "x.wav").write_bytes(wav(rate, channels, 4800, bytes(4800)))
    data = prepare(folder)
    assert data.report.used == 6
    (reason,) = skipped(data)
    assert reason == "damaged recording" or reason.startswith("impossible"), reason


def test_W6_what_a_header_claims_is_never_allocated(folder: Path) -> None:
    """Of a file that says that it holds two gigabytes, the 600 bytes that are there are taken."""
    content = wav(RATE, 1, 0x7FFFFF00, (tone(500, seconds=0.04) * 20_000).astype("<i2").tobytes())
    tracemalloc.start()
    assert probe(content, "x.wav").rate == RATE
    wave, said = decode(content, "x.wav", POLICY)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20
    assert "cut short: what there is of them was taken" in said
    assert np.abs(wave[:320]).max() > 0
    assert not wave[320:].any()
    (folder / "x.wav").write_bytes(content)
    assert "1 cut short" in notes(prepare(folder))


def test_W7_silence_is_skipped_and_clipping_told(folder: Path) -> None:
    record(folder / "silent.wav", np.zeros(2400))
    record(folder / "hiss.wav", 1e-5 * tone())
    record(folder / "loud.wav", (3 * tone()).clip(-1, 1))
    data = prepare(folder)
    assert skipped(data) == {"silent recording": 2}
    assert "1 clipped at full volume" in notes(data)


def test_W7_of_a_long_recording_the_beginning_is_read_quickly(folder: Path) -> None:
    """Twenty minutes: decoding all of them would take longer than reading what is needed by far."""
    hiss = np.random.default_rng(0).standard_normal(RATE * 1200) * 0.1
    record(folder / "long.flac", hiss)
    content = (folder / "long.flac").read_bytes()
    began = time.process_time()
    decode(content, "long.flac", POLICY)
    short = time.process_time() - began
    began = time.process_time()
    soundfile.read(folder / "long.flac")
    assert short < (time.process_time() - began) / 5
    data = prepare(folder)
    assert data.report.used == 7
    assert "1 longer than " in notes(data)
    assert data.codec.state()["samples"] / RATE < 2.1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"ID3\x03\x00" + bytes(200), "MP3 named .wav"),
        (b"\xff\xfb\x90\x00" + bytes(400), "MP3 named .wav"),
        (b"<!DOCTYPE html><html>403</html>", "web page named .wav"),
        (b"PK\x03\x04" + bytes(100), "zip archive named .wav"),
        (np.random.default_rng(0).bytes(500), "damaged recording"),
    ],
)
def test_W7_what_is_no_recording_is_named(folder: Path, content: bytes, reason: str) -> None:
    (folder / "x.wav").write_bytes(content)
    assert skipped(prepare(folder)) == {reason: 1}


def test_W7_a_format_that_is_not_read_is_named_and_what_to_do(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"song{number}.mp3").write_bytes(b"ID3")
    with pytest.raises(DataError) as caught:
        prepare(tmp_path)
    assert "5 unsupported sounds (.mp3)" in caught.value.why
    assert "convert them to WAV first" in caught.value.hints


def test_a_file_damaged_further_on_is_skipped(folder: Path) -> None:
    record(folder / "x.flac", np.random.default_rng(0).standard_normal(4000) * 0.1)
    content = bytearray((folder / "x.flac").read_bytes())
    content[200:2000] = bytes(1800)
    (folder / "x.flac").write_bytes(content)
    assert prepare(folder).report.used in (6, 7)  # a decoder may pass over the damage, and then something is heard
    (folder / "x.flac").write_bytes(content[:150])
    assert prepare(folder).report.used == 6


def test_mutilated_files_are_faults_never_crashes(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for suffix in (".wav", ".flac", ".ogg"):
        good = record(tmp_path / f"good{suffix}", tone()).read_bytes()
        for _ in range(60):
            bad = bytearray(good[: int(random.integers(1, len(good) + 1))])
            for place in random.integers(0, len(bad), 6):
                bad[place] = random.integers(256)
            try:
                wave, _ = decode(bytes(bad), f"bad{suffix}", POLICY)
            except SoundFault:
                continue
            assert wave.shape == (POLICY.samples,)
            assert wave.dtype == np.int16


def test_a_zip_of_recordings_is_read_like_a_folder(folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "tones.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"{'low' if path.stem < 'tone3' else 'high'}/{path.name}")
        archive.writestr("__MACOSX/._tone0.wav", b"x")
    data = prepare(tmp_path / "tones.zip")
    assert data.report.used == 6
    assert data.class_condition is not None
    assert data.class_condition.classes == ("high", "low")


def test_a_single_recording_is_told_to_come_with_others(folder: Path) -> None:
    with pytest.raises(DataError) as caught:
        prepare(folder / "tone0.wav")
    assert "give the folder" in caught.value.why
