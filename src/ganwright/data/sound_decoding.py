"""One encoded recording, checked and brought to shape. Runs in child processes: it meets strangers' files.

    python -m ganwright.data.sound_decoding MEMORY_BYTES

is such a child; `decoding_workers` talks to it in the words of `decoding_protocol`. No torch here: a child starts in a
moment.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import soundfile

from ganwright.data.decoding_child import serve
from ganwright.data.picture_names import extension_of
from ganwright.data.sound_fitting import HIGHEST_RATE, LOWEST_RATE, SoundFault, SoundPolicy, fit_sound

FORMATS = {"WAV": "WAV", "WAVEX": "WAV", "RF64": "WAV", "FLAC": "FLAC", "OGG": "Ogg"}
"""What libsndfile may find in a file, by its own names."""
OF_EXTENSION = {".wav": "WAV", ".wave": "WAV", ".flac": "FLAC", ".ogg": "Ogg", ".oga": "Ogg"}
MOST_CHANNELS = 32
BLOCK_FRAMES = 1 << 16
"""Decoded at a time: what a header claims is never allocated."""
SPARE_SECONDS = 0.1
"""Beyond the end, for the resampling filter."""
UNKNOWN_SIZES = (0, 0xFFFFFFFF)
"""In a WAV header, of a file that was still being written."""
# Files that often lie under a recording's name, by their first bytes.
DISGUISES = (
    (b"ID3", "MP3"),
    (b"\xff\xfb", "MP3"),
    (b"\xff\xf3", "MP3"),
    (b"fLaC", "FLAC"),
    (b"OggS", "Ogg"),
    (b"FORM", "AIFF"),
    (b"PK\x03\x04", "zip archive"),
    (b"<!doctype", "web page"),
    (b"<html", "web page"),
)


@dataclass(frozen=True)
class SoundFacts:
    """What the header tells, checked."""

    rate: int
    channels: int
    frames: int
    """Moments that have a sample each; a claim until they are read."""


def probe(content: bytes, name: str) -> SoundFacts:
    """The facts of an encoded recording from its header.

    Raises:
        SoundFault: not a recording that may be used.
    """
    with _opened(content, name) as file:
        return SoundFacts(file.samplerate, file.channels, file.frames)


def decode(content: bytes, name: str, policy: SoundPolicy) -> tuple[np.ndarray, list[str]]:
    """(samples, notes): int16 (policy.samples,), and what was done to the recording that a user should know of.

    Raises:
        SoundFault: not a recording that may be used; only decoding finds a file that is damaged further on.
    """
    with _opened(content, name) as file:
        rate, wanted = file.samplerate, int((policy.seconds + SPARE_SECONDS) * file.samplerate) + 1
        blocks: list[np.ndarray] = []
        read = 0
        try:
            while read < wanted:
                block = file.read(min(BLOCK_FRAMES, wanted - read), dtype="float32", always_2d=True)
                if not len(block):
                    break
                blocks.append(block)
                read += len(block)
        except soundfile.LibsndfileError as error:
            raise SoundFault("damaged recording") from error
    samples, notes = fit_sound(blocks, rate, policy, longer=read >= wanted)
    return samples, notes + (["cut short: what there is of them was taken"] if _is_cut_short(content) else [])


def _opened(content: bytes, name: str) -> soundfile.SoundFile:
    """
    Raises:
        SoundFault: it cannot be opened, or nobody records like that.
    """
    extension = extension_of(name)
    kind = next((kind for magic, kind in DISGUISES if content[:16].lower().startswith(magic.lower())), "")
    if kind and extension in OF_EXTENSION and kind != OF_EXTENSION[extension]:
        raise SoundFault(f"{kind} named {extension}")
    try:
        file = soundfile.SoundFile(io.BytesIO(content))
    except MemoryError:
        raise
    except Exception:  # Header parsers raise whatever the bytes lead them to.
        raise SoundFault("damaged recording") from None
    if file.format not in FORMATS:
        raise SoundFault(f"unsupported sound ({file.format})")
    if not LOWEST_RATE <= file.samplerate <= HIGHEST_RATE:
        raise SoundFault(f"impossible rate ({file.samplerate} Hz)")
    if not 1 <= file.channels <= MOST_CHANNELS:
        raise SoundFault(f"impossible number of channels ({file.channels})")
    return file


def _is_cut_short(content: bytes) -> bool:
    """Whether a WAV file says that it is longer than it is."""
    if content[:4] != b"RIFF":
        return False
    said = int.from_bytes(content[4:8], "little")
    return said not in UNKNOWN_SIZES and said > len(content) - 8 + 1  # Some writers forget the last padding byte.


def _answer(task: Mapping[str, Any], content: bytes, name: str) -> tuple[dict[str, Any], bytes]:
    try:
        if task["do"] == "probe":
            facts = probe(content, name)
            return {"rate": facts.rate, "channels": facts.channels, "frames": facts.frames}, b""
        samples, notes = decode(content, name, SoundPolicy(**task["policy"]))
        return {"notes": notes}, samples.tobytes()
    except SoundFault as fault:
        return {"fault": str(fault)}, b""


if __name__ == "__main__":
    import sys

    serve(_answer, int(sys.argv[1]))
