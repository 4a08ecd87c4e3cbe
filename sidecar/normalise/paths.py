"""Paths to their general form: what differs from run to run or release to release becomes one placeholder each.

Generalising is for names only. It never decides identity, which is a sha256: `libfoo.so.1.2.3` and `libfoo.so.9.9.9`
get the same name and stay two different things.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

LONGEST = 1024
"""Characters of one name. An entry of a reference joins up to four of them and must still fit into a message."""

_HEX_TO_LETTERS = str.maketrans("0123456789abcdef", "ghijklmnopqrstuv")

_CACHED_LENGTH = 256
"""Longer paths are computed each time: with the bound on entries this bounds the cache to about a megabyte."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Replace each match of `pattern` by `placeholder`, in paths that start with one of `under` (empty: in all)."""

    name: str
    pattern: re.Pattern[str]
    placeholder: str
    under: tuple[str, ...] = ()

    def apply(self, path: str) -> str:
        """The path with every match replaced."""
        if self.under and not path.startswith(self.under):
            return path
        return self.pattern.sub(self.placeholder, path)


def parse_rules(text: str) -> tuple[Rule, ...]:
    """Read rules in the form of `rules.toml`."""
    tables = tomllib.loads(text)
    return tuple(_rule(table, tables["boundaries"]) for table in tables["rule"])


def _rule(table: dict[str, Any], boundaries: dict[str, str]) -> Rule:
    pattern = table["pattern"]
    for name, lookaround in boundaries.items():
        pattern = pattern.replace(f"{{{name}}}", lookaround)
    return Rule(table["name"], re.compile(pattern), table["placeholder"], tuple(table.get("under", ())))


class Generaliser:
    """Applies rules to paths, cuts what is longer than `longest`, and remembers up to `cache_entries` results."""

    def __init__(self, rules: Sequence[Rule], cache_entries: int = 2048, longest: int = LONGEST) -> None:
        self._rules = tuple(rules)
        self._longest = longest
        self._cached: Callable[[str], str] = lru_cache(cache_entries)(self._generalise)

    def path(self, text: str) -> str:
        """The general form of a path (text as `text_of` gives it). Idempotent: the general form is its own."""
        return self._cached(text) if len(text) <= _CACHED_LENGTH else self._generalise(text)

    def _generalise(self, text: str) -> str:
        for rule in self._rules:
            text = rule.apply(text)
        return cut(text, self._longest)


def cut(text: str, longest: int = LONGEST) -> str:
    """`text`, or where it is longer than `longest` its beginning and a mark that differs for different texts."""
    if len(text) <= longest:
        return text
    # Letters only: no rule takes a word without a digit for something that differs from run to run.
    digest = sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16].translate(_HEX_TO_LETTERS)
    mark = f"<long-{digest}>"
    return text[: longest - len(mark)] + mark


def default_generaliser() -> Generaliser:
    """With the rules that ship with the sidecar."""
    return Generaliser(parse_rules(Path(__file__).with_name("rules.toml").read_text()))
