"""Programs that train in turns, so that a machine's moods fall on all of them alike."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
from collections.abc import Mapping
from typing import Any

ROUNDS = 5


class Program:
    """One that waits until it is told to train (`step_worker.serve`)."""

    def __init__(self, words: list[str], environment: Mapping[str, str]) -> None:
        self._words = words
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._process = subprocess.Popen(words, env={**os.environ, **environment}, **pipes)

    def answer(self) -> dict[str, Any]:
        """Its next line."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"ended early: {' '.join(self._words)}")
        return json.loads(line)

    def train(self, seconds: float) -> float:
        """Images a second over about so long."""
        self.begin(seconds)
        said = self.answer()
        return said["images"] / said["seconds"]

    def begin(self, seconds: float) -> None:
        """Let it train for about so long; its next line tells how far it came."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()

    def end(self) -> None:
        """Let it go."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


class AtOnce(Program):
    """Several programs that train at the same time and know nothing of each other."""

    def __init__(self, programs: list[Program]) -> None:
        self._programs = programs

    def answer(self) -> dict[str, Any]:
        """The next line of each, added up; of the first where they are no numbers."""
        said = [program.answer() for program in self._programs]
        if "images" not in said[0]:
            return said[0]
        return {"images": sum(each["images"] / each["seconds"] for each in said), "seconds": 1.0}

    def begin(self, seconds: float) -> None:
        for program in self._programs:
            program.begin(seconds)

    def end(self) -> None:
        for program in self._programs:
            program.end()


def in_turns(programs: Mapping[str, Program], seconds: float, rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Images a second of each program in each round; `seconds` of training for each in all. They are let go in the end."""
    rates: dict[str, list[float]] = {name: [] for name in programs}
    try:
        for program in programs.values():
            program.answer()  # ready
        for number in range(rounds):
            names = list(programs)
            for name in names[number % len(names) :] + names[: number % len(names)]:
                rates[name].append(programs[name].train(seconds / rounds))
    finally:
        for program in programs.values():
            program.end()
    return rates


def ratios(mine: list[float], theirs: list[float]) -> list[float]:
    """Round by round."""
    return [one / other for one, other in zip(mine, theirs, strict=True)]


def spread(values: list[float]) -> list[float]:
    """Median, least and most, to three digits."""
    return [float(f"{value:.3g}") for value in (statistics.median(values), min(values), max(values))]


def protocol(seconds: float, rounds: int = ROUNDS) -> str:
    """How the figures were obtained."""
    return f"{rounds} rounds of {seconds / rounds:g} s, in turns; median, least and most"
