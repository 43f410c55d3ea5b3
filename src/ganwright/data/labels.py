"""Class labels from the folders that pictures lie in."""

from __future__ import annotations

from collections.abc import Sequence

# Folders of these names divide a set for measuring; they are no classes.
SPLIT_NAMES = frozenset({"train", "training", "test", "testing", "val", "valid", "validation"})


def labels_from_folders(paths: Sequence[tuple[str, ...]]) -> list[str] | None:
    """The label of each picture, or None when the folders do not tell.

    `paths` are the parts of each picture's path, file name last. Folders common to all are stripped, and so is a level that
    only divides into train and test; then, if no picture lies at the top and there are at least two folders, the first
    folder is the label.
    """
    if not paths:
        return None
    tops = _without_common([path[:-1] for path in paths])
    if {top[0].lower() for top in tops if top} <= SPLIT_NAMES and all(tops):
        tops = _without_common([top[1:] for top in tops])
    if not all(tops):
        return None
    labels = [top[0] for top in tops]
    return labels if len(set(labels)) >= 2 else None


def _without_common(folders: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    shortest, longest = min(folders), max(folders)  # What the two extremes share, all share.
    common = 0
    while common < min(len(shortest), len(longest)) and shortest[common] == longest[common]:
        common += 1
    return [folder[common:] for folder in folders]
