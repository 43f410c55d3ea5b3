"""Errors that a person reads: what happened, where, why, and what to try."""

from __future__ import annotations

from typing import ClassVar


class GanwrightError(ValueError):
    """A mistake or mishap that the user can do something about.

    Shown in at most six lines and never with a traceback. The class gives the exit code and the family; `code` (such as
    "E-DATA-02") names the one kind of error, so that it can be looked up.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, what: str, *, where: str = "", why: str = "", hints: tuple[str, ...] = ()) -> None:
        super().__init__(what)
        self.code = code
        self.what = what
        self.where = where
        self.why = why
        self.hints = hints

    def __str__(self) -> str:
        lines = [f"error[{self.code}]: {self.what}"]
        lines += [f"  where  {self.where}"] if self.where else []
        lines += [f"  why    {self.why}"] if self.why else []
        lines += [f"  try    {hint}" for hint in self.hints]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, object]:
        """The same facts for `--json`."""
        return {
            "code": self.code,
            "what": self.what,
            "where": self.where,
            "why": self.why,
            "try": list(self.hints),
            "exit_code": self.exit_code,
        }


class UsageError(GanwrightError):
    """A flag, a setting or a name that does not exist or does not fit."""

    exit_code = 2


class DataError(GanwrightError):
    """Training data or a path that cannot be used."""

    exit_code = 3


class ModelFileError(GanwrightError):
    """A model file that is damaged, hostile, or not for this version."""

    exit_code = 4


class ResourceError(GanwrightError):
    """Too little disk or memory, or a device that is not there."""

    exit_code = 5


class DivergedError(GanwrightError):
    """Training left the numbers a computer can hold; the last good model was kept."""

    exit_code = 6
