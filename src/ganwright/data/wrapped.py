"""A source made of another one."""

from __future__ import annotations

from ganwright.data.sources.base import Source


class Wrapped(Source):
    """Reads another source; everything that is said of that holds for this one, unless a subclass says otherwise."""

    def __init__(self, source: Source) -> None:
        self.name = source.name
        self.place, self.labels = source.place, source.labels
        self.columns, self.forms = source.columns, source.forms
        self.whole_records = source.whole_records
        self.dialect, self.reading = source.dialect, source.reading
        self.skipped, self.notes = source.skipped, source.notes
        self._source = source

    @classmethod
    def can_open(cls, data: object) -> bool:
        return False

    @classmethod
    def open(cls, data: object) -> Wrapped:
        raise TypeError("it is made of a source, not opened")

    def __len__(self) -> int:
        return len(self._source)

    def close(self) -> None:
        self._source.close()

    def fingerprint(self) -> str:
        return self._source.fingerprint()
