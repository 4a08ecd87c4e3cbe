"""The watch list that inscope-init matches opens against, and which of it is secret: the data in `patterns.toml`."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sidecar.observe.header import HEADER

_MATCH = HEADER.enums["match"]


@dataclass(frozen=True, slots=True)
class PathMatch:
    """A set of patterns with the semantics of `enum inscope_match`, minus WRITE."""

    prefixes: tuple[bytes, ...] = ()
    suffixes: tuple[bytes, ...] = ()
    names: frozenset[bytes] = frozenset()
    infixes: tuple[bytes, ...] = ()

    def matches(self, path: bytes) -> bool:
        """Whether an absolute path matches any of the patterns."""
        return (
            path.startswith(self.prefixes)
            or path.endswith(self.suffixes)
            or path[path.rfind(b"/") + 1 :] in self.names
            or any(infix in path for infix in self.infixes)
        )

    def wire(self) -> tuple[bytes, ...]:
        """The patterns as PATTERNS carries them: the match byte, then the text."""
        return (
            *_led("PREFIX", self.prefixes),
            *_led("SUFFIX", self.suffixes),
            *_led("NAME", sorted(self.names)),
            *_led("INFIX", self.infixes),
        )


def _led(match: str, texts: Sequence[bytes]) -> tuple[bytes, ...]:
    return tuple(bytes([_MATCH[match]]) + text for text in texts)


@dataclass(frozen=True, slots=True)
class WatchList:
    """What is watched. `public` takes out of `secret` what is no secret; init does not know it, it is applied here."""

    secret: PathMatch
    public: PathMatch
    written: tuple[bytes, ...]

    def is_secret(self, path: bytes) -> bool:
        """Whether reading this absolute path is reading a secret."""
        return self.secret.matches(path) and not self.public.matches(path)

    def is_public(self, path: bytes) -> bool:
        """Whether what has this absolute path is no secret, whatever else it is called."""
        return self.public.matches(path)

    def is_watched_write(self, path: bytes) -> bool:
        """Whether init watches this absolute path for being written."""
        return path.endswith(self.written) or self.secret.matches(path)

    def wire(self) -> tuple[bytes, ...]:
        """The whole list as PATTERNS carries it."""
        return (*self.secret.wire(), *_led("WRITE", self.written))


def parse_watch_list(text: str) -> WatchList:
    """Read a watch list in the form of `patterns.toml`."""
    tables = tomllib.loads(text)
    return WatchList(
        secret=_path_match(tables["secret"]),
        public=_path_match(tables["public"]),
        written=_texts(tables["write"], "suffix"),
    )


def _path_match(table: Mapping[str, Sequence[str]]) -> PathMatch:
    return PathMatch(
        prefixes=_texts(table, "prefix"),
        suffixes=_texts(table, "suffix"),
        names=frozenset(_texts(table, "name")),
        infixes=_texts(table, "infix"),
    )


def _texts(table: Mapping[str, Sequence[str]], key: str) -> tuple[bytes, ...]:
    return tuple(os.fsencode(text) for text in table[key])


def default_watch_list() -> WatchList:
    """The list that ships with the sidecar."""
    return parse_watch_list(Path(__file__).with_suffix(".toml").read_text())
