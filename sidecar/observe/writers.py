"""Who wrote a file that is now loaded: code made at run time is judged as the class (writer, folder), not by its hash.

Only opens for writing are seen, and renames are not: a file that was renamed into a folder counts as written by the
folder's one known writer. So a writer is named only where nobody else is known to have written there.
"""

from __future__ import annotations

from collections import OrderedDict

_SEVERAL = ""


class Writers:
    """The last `capacity` files and as many folders that were opened for writing, each with its one writer."""

    def __init__(self, capacity: int = 4096) -> None:
        self._capacity = capacity
        self._files: OrderedDict[bytes, str] = OrderedDict()
        self._folders: OrderedDict[bytes, str] = OrderedDict()

    def wrote(self, path: bytes, label: str) -> None:
        """The program `label` opened the absolute `path` for writing."""
        self._note(self._files, path, label)
        self._note(self._folders, _folder(path), label)

    def writer_of(self, path: bytes, *, changed_while_watched: bool) -> str:
        """The label of the one program that wrote `path`, "" where there is none, or more than one.

        A file without a known writer is its folder's writer's, if it changed (ctime) since the watching began.
        """
        writer = self._files.get(path)
        if writer is not None:
            return writer
        return self._folders.get(_folder(path), "") if changed_while_watched else ""

    def _note(self, known: OrderedDict[bytes, str], key: bytes, label: str) -> None:
        if known.get(key, label) != label:
            label = _SEVERAL
        known[key] = label
        known.move_to_end(key)
        if len(known) > self._capacity:
            known.popitem(last=False)


def _folder(path: bytes) -> bytes:
    return path[: path.rfind(b"/") + 1]
