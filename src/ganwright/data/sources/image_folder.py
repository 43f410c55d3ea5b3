"""Pictures in a folder and the folders below it."""

from __future__ import annotations

from typing import ClassVar

from ganwright.data.file_folder import FileFolder
from ganwright.data.picture_names import why_no_picture


class ImageFolder(FileFolder):
    """Every picture below a folder; any folder at all, where nothing else knows better what lies in it."""

    specificity: ClassVar[int] = 0
    opens: ClassVar[str] = "a folder of pictures"
    noun: ClassVar[str] = "pictures"
    seal: ClassVar[bytes] = b"image_folder"

    @classmethod
    def why_not(cls, name: str) -> str:
        return why_no_picture(name)
