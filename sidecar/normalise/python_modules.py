"""Which file Python's `-m` runs: the places it looks in, in its order, as far as the command line tells."""

from __future__ import annotations

import posixpath
import re

_RELEASE = re.compile(r"(?:python|pypy)\d+\.\d+")
_MODULE = re.compile(r"\w+(?:\.\w+)*")
_USUAL_RELEASES = tuple(f"python3.{minor}" for minor in range(15, 8, -1))


def module_files(module: str, image: str, called: str, *, from_cwd: bool) -> tuple[str, ...]:
    """Candidates for `-m module`: the working directory, the standard library, the site folders.

    Args:
        module: dotted name; anything else has no candidates.
        image: where the interpreter really is: its standard library is beside it.
        called: the path it was started by: in a virtual environment its packages are beside that.
        from_cwd: whether the working directory leads the search.
    """
    if not _MODULE.fullmatch(module):
        return ()
    relative = module.replace(".", "/")
    folders = [""] if from_cwd else []
    for release in _releases(image, called):
        folders += _library_folders(release, _prefix(image), _prefix(called))
    return tuple(posixpath.join(folder, relative + tail) for folder in folders for tail in ("/__main__.py", ".py"))


def _releases(image: str, called: str) -> tuple[str, ...]:
    for path in (image, called):
        match = _RELEASE.match(posixpath.basename(path))
        if match:
            return (match[0],)
    return _USUAL_RELEASES


def _prefix(binary: str) -> str:
    return posixpath.dirname(posixpath.dirname(binary))


def _library_folders(release: str, base: str, environment: str) -> list[str]:
    return [
        f"{base}/lib/{release}",
        *([f"{environment}/lib/{release}/site-packages"] if environment != base else []),
        f"{base}/local/lib/{release}/dist-packages",
        f"{base}/lib/python3/dist-packages",
        f"{base}/lib/{release}/site-packages",
    ]
