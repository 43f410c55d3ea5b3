"""What is known of records from how their files are called: "{label}_{speaker}_*.wav"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ganwright.core.errors import UsageError

PART = re.compile(r"\{([^{}]*)\}|\*|[^{}*]+|[{}]")
LONGEST = 200


@dataclass(frozen=True)
class NamePattern:
    """Letters stand for themselves, {name} for something to be known, as short as possible, * for anything.

    Without a "/" it is about the file's name alone; the extension may be left out.
    """

    text: str

    def __post_init__(self) -> None:
        names = [match[1] for match in PART.finditer(self.text) if match[1] is not None]
        other = [match[0] for match in PART.finditer(self.text) if match[0] in "{}"]
        if not names or other or len(set(names)) < len(names) or not all(name.isidentifier() for name in names):
            hints = ('--label-from "{label}_*.wav"', '--label-from "{label}_{speaker}_*"')
            raise UsageError("E-LABEL-10", f"{self.text!r} does not say where in a file's name a label is", hints=hints)
        if len(self.text) > LONGEST:
            raise UsageError("E-LABEL-10", f"a pattern of {len(self.text)} letters; {LONGEST} are the most")

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        parts: list[str] = []
        for match in PART.finditer(self.text):
            if match[1] is not None:
                parts.append(f"(?P<{match[1]}>[^/]+?)")
            else:
                parts.append("[^/]*?" if match[0] == "*" else re.escape(match[0]))
        ending = "" if re.search(r"\.\w+$", self.text) else r"(?:\.[^./]*)?"
        return re.compile("".join(parts) + ending)

    @property
    def names(self) -> tuple[str, ...]:
        """What it tells of."""
        return tuple(match[1] for match in PART.finditer(self.text) if match[1] is not None)

    def facts(self, path: str) -> Mapping[str, str]:
        """What the path of a record tells, "" where it is not like the pattern."""
        found = self._regex.fullmatch(path if "/" in self.text else path.rpartition("/")[2])
        return dict.fromkeys(self.names, "") if found is None else found.groupdict()
