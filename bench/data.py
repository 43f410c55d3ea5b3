"""What do data cost: packing a folder of JPEGs, drawing a batch of them, and beginning again?

    python bench/data.py

A line for each. Packing is beside the rate at which all cores decode the same files with Pillow and nothing else; drawing is
beside the training step that it is a part of; beginning is a second start, from the command to its first step.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from in_turns import spread
from machine import describe_machine
from PIL import Image
from sampling import timed
from step import CATS, DATA, KEEP, pictures_of

ROUNDS = 5
DRAWS = 200
PHOTOS, PHOTO_SIDE = 5_000, 512
START = """
import sys, time
import ganwright, ganwright.gan, ganwright.plan  # everything that takes long to import
began = time.perf_counter()
gan = ganwright.GAN("dcgan", seed=0)
first = []
def told(event):
    if type(event).__name__ == "PlanReady":
        first.append(time.perf_counter() - began)
gan.fit(sys.argv[1], steps=1, subscribers=[told])
print(first[0])
"""


def main() -> int:
    """Three lines."""
    parser = argparse.ArgumentParser(description="What do data cost?")
    parser.add_argument("--data", type=Path, default=DATA)
    options = parser.parse_args()
    pictures = options.data / CATS
    if not pictures.is_file():
        print(json.dumps({"skipped": f"there is no file {pictures}"}))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        photos = enlarged(pictures, Path(folder) / "photos.zip")
        for line in (packing(pictures), packing(photos), drawing(options.data), beginning(pictures)):
            print(json.dumps({**line, "machine": describe_machine()}), flush=True)
    return 0


def contents_of(pictures: Path) -> list[bytes]:
    """The JPEGs in a zip archive."""
    with zipfile.ZipFile(pictures) as packed:
        return [packed.read(name) for name in packed.namelist() if name.endswith(".jpg")]


def enlarged(pictures: Path, to: Path) -> Path:
    """An archive of some of the pictures, as large as small photos are."""
    with zipfile.ZipFile(to, "w") as archive:
        for number, content in enumerate(contents_of(pictures)[:PHOTOS]):
            written = io.BytesIO()
            Image.open(io.BytesIO(content)).resize((PHOTO_SIDE, PHOTO_SIDE)).save(written, "JPEG", quality=90)
            archive.writestr(f"{number:04}.jpg", written.getvalue())
    return to


def packing(pictures: Path) -> dict[str, Any]:
    """Pictures a second, from a zip to packed data, beside decoding on all cores."""
    from ganwright.data.preparation import prepare
    from ganwright.runtime.allocator import keep_freed_memory
    from ganwright.runtime.cores import usable_cores

    keep_freed_memory()  # as a run does before it packs
    contents = contents_of(pictures)
    side = Image.open(io.BytesIO(contents[0])).width
    cores = usable_cores()
    paces: dict[str, list[float]] = {"packing": [], "decoding": []}
    with ProcessPoolExecutor(cores) as pool:
        list(pool.map(decode, contents[:100], chunksize=10))
        for _ in range(ROUNDS):
            seconds = timed(lambda: list(pool.map(decode, contents, chunksize=100)))
            paces["decoding"].append(len(contents) / seconds)
            with tempfile.TemporaryDirectory() as cache:
                seconds = timed(lambda cache=cache: prepare(pictures, cache=Path(cache)))
            paces["packing"].append(len(contents) / seconds)
    shares = [one / other for one, other in zip(paces["packing"], paces["decoding"], strict=True)]
    figures = {name: spread(each) for name, each in paces.items()}
    protocol = f"{ROUNDS} rounds in turns, {len(contents):,} files, {cores} processes decode; median, least and most"
    return {"name": "packing", "side": side, "per_second": figures, "share": spread(shares), "protocol": protocol}


def decode(content: bytes) -> int:
    """Read one JPEG to its last pixel."""
    return len(Image.open(io.BytesIO(content)).convert("RGB").tobytes())


def drawing(data: Path) -> dict[str, Any]:
    """Microseconds a picture, beside a training step's."""
    from step_ours import build_parts

    work, batches, key = build_parts("default64", str(pictures_of("default64", data, KEEP)))
    for _ in range(3):
        work.step()
    drawn: list[float] = []
    steps: list[float] = []
    for _ in range(ROUNDS):
        drawn.append(timed(lambda: [batches.real(key) for _ in range(DRAWS)]) / DRAWS)
        steps.append(timed(lambda: [work.step() for _ in range(20)]) / 20)
    shares = [one / other for one, other in zip(drawn, steps, strict=True)]
    figures = {"draw": spread([1e6 * each for each in drawn]), "step": spread([1e6 * each for each in steps])}
    protocol = f"{ROUNDS} rounds of {DRAWS} draws and 20 steps, batch {work.images}; median, least and most"
    return {"name": "drawing", "microseconds": figures, "share": spread(shares), "protocol": protocol}


def beginning(pictures: Path) -> dict[str, Any]:
    """Seconds from the call to the first step, after imports, of data that were packed before."""
    seconds: list[float] = []
    for _ in range(1 + ROUNDS):
        done = subprocess.run([sys.executable, "-c", START, str(pictures)], check=True, stdout=subprocess.PIPE, text=True)
        seconds.append(float(done.stdout))
    protocol = f"{ROUNDS} starts after a first one; median, least and most"
    return {"name": "beginning", "seconds": spread(seconds[1:]), "protocol": protocol}


if __name__ == "__main__":
    sys.exit(main())
