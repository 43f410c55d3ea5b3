"""Class labels from the folders that pictures lie in."""

from __future__ import annotations

from collections.abc import Sequence

# Folders of these names divide a set for measuring; they are no classes.
SPLIT_NAMES = frozenset({"train", "training", "test", "testing", "val", "valid", "validation"})
MOST_STRAY = 0.1
"""Of the pictures, that may lie beside folders of classes: they have no label. With more, folders are no classes."""


def labels_from_folders(paths: Sequence[tuple[str, ...]]) -> list[str] | None:
    """The label of each picture, or None when the folders do not tell.

    `paths` are the parts of each picture's path, file name last. Folders common to all are stripped, and so is a level that
    only divides into train and test; then, if hardly any picture lies at the top and there are at least two folders, the
    first folder is the label: "" of those at the top.
    """
    if not paths:
        return None
    tops = _without_common([path[:-1] for path in paths])
    if {top[0].lower() for top in tops if top} <= SPLIT_NAMES and all(tops):
        tops = _without_common([top[1:] for top in tops])
    labels = [top[0] if top else "" for top in tops]
    if labels.count("") > MOST_STRAY * len(labels):
        return None
    return labels if len({*labels} - {""}) >= 2 else None


def _without_common(folders: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    shortest, longest = min(folders), max(folders)  # What the two extremes share, all share.
    common = 0
    while common < min(len(shortest), len(longest)) and shortest[common] == longest[common]:
        common += 1
    return [folder[common:] for folder in folders]
