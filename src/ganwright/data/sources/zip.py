"""Pictures in a zip archive."""

from __future__ import annotations

from typing import ClassVar

from ganwright.data.file_zip import FileZip
from ganwright.data.picture_names import why_no_picture


class Zip(FileZip):
    """Every picture in a zip archive; any archive at all, where nothing else knows better what lies in it."""

    specificity: ClassVar[int] = 10
    opens: ClassVar[str] = "a .zip of pictures"
    noun: ClassVar[str] = "pictures"
    seal: ClassVar[bytes] = b"zip"

    @classmethod
    def why_not(cls, name: str) -> str:
        return why_no_picture(name)
