"""Whether a path lies in a folder, by text: both are generalised already."""

from __future__ import annotations

from collections.abc import Collection


def holding(path: str, folders: Collection[str]) -> str | None:
    """The innermost of `folders` that `path` lies in, or None."""
    parent = path
    while parent not in ("", "/"):
        parent = parent.rpartition("/")[0] or "/"
        if parent in folders:
            return parent
        if "/" not in parent:
            return None
    return None
