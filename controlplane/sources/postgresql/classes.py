"""What tables hold, by the names and comments of their columns, and by a user's list. Pure.

The list decides alone for what it names: it may take a class away as well.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from controlplane.sources.postgresql.catalog import Line
from controlplane.sources.postgresql.names import NotANameError, parts

MAX_COMMENT = 4_096
"""Characters of a comment that are searched."""

MAX_CLASSES = 200

SHOWN = 3
"""Columns that a reason names."""

_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")


class ClassesError(ValueError):
    """A file of classes is not as it should be; the message says where."""


@dataclass(frozen=True, slots=True)
class DataClass:
    """A kind of data. `unless`: names that look like it and are not."""

    name: str
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None = None
    comment: re.Pattern[str] | None = None

    def holds(self, name: str, comment: str) -> bool:
        """Whether something of that name and comment is of it."""
        words = _WORDS.sub("_", name).lower()
        named = self.pattern.search(words) is not None and not (self.unless and self.unless.search(words))
        return named or bool(self.comment and self.comment.search(comment[:MAX_COMMENT].lower()))


@dataclass(frozen=True, slots=True)
class Classes:
    """The rules, and what is listed: by `schema.table` or `schema.table.column`, each with its classes."""

    rules: tuple[DataClass, ...]
    listed: dict[tuple[str, ...], tuple[str, ...]]

    def of(self, table: Line) -> dict[str, tuple[str, ...]]:
        """The classes of a table, each with the columns that are of it; none: the table as such."""
        whole = _plain(table.resource)
        found: dict[str, list[str]] = {}
        for name in self._of(whole, table.name, table.comment or "", named=False):
            found[name] = []
        for column in table.columns or ():
            plain = _plain(column.name)
            for name in self._of(whole + plain, plain[-1] if plain else column.name, column.comment or "", named=True):
                found.setdefault(name, []).append(column.name)
        return {name: tuple(columns) for name, columns in found.items()}

    def _of(self, path: tuple[str, ...], name: str, comment: str, *, named: bool) -> Iterable[str]:
        if path in self.listed:
            return self.listed[path]
        return [rule.name for rule in self.rules if rule.holds(name if named else "", comment)]


def reasons(table: Line, classes: dict[str, tuple[str, ...]], only: frozenset[str] | None = None) -> Iterator[str]:
    """Why a grant of `table` weighs more; of `only` these columns of it."""
    for name, columns in classes.items():
        mine = columns if only is None else tuple(column for column in columns if column in only)
        if columns and not mine:
            continue
        more = f" and {len(mine) - SHOWN} more" if len(mine) > SHOWN else ""
        which = f": {', '.join(mine[:SHOWN])}{more}" if mine else ""
        yield f"reaches {name} ({table.resource}{which})"[:200]


def _plain(resource: str) -> tuple[str, ...]:
    try:
        return parts(resource)
    except NotANameError:
        return ()


def read_classes(text: str, where: str) -> Classes:
    """From TOML.

    Raises:
        ClassesError: it is not as it should be.
    """
    try:
        document = tomllib.loads(text)
        rules = tuple(map(_class, _tables(document, "class")))
        listed = {parts(name): _names(each) for each in _tables(document, "listed") for name in each["names"]}
    except (tomllib.TOMLDecodeError, re.error, KeyError, TypeError, NotANameError, RecursionError) as error:
        raise ClassesError(f"{where}: {type(error).__name__}: {error}") from error
    if len(rules) > MAX_CLASSES:
        raise ClassesError(f"{where}: {len(rules)} classes, at most {MAX_CLASSES}")
    return Classes(rules, listed)


def together(first: Classes, more: Classes) -> Classes:
    """Both; what is listed by `more` counts."""
    return Classes((*first.rules, *more.rules), first.listed | more.listed)


def _tables(document: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = document.get(name, [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise TypeError(f"[[{name}]] is expected")
    return found


def _class(each: dict[str, Any]) -> DataClass:
    unless, comment = (re.compile(each[key]) if key in each else None for key in ("not", "comment"))
    return DataClass(str(each["name"]), re.compile(each["pattern"]), unless, comment)


def _names(each: dict[str, Any]) -> tuple[str, ...]:
    return (str(each["class"]),) if each["class"] else ()


SHIPPED = read_classes(files(__package__).joinpath("classes.toml").read_text("utf-8"), "classes.toml")
"""The classes that ship with inscope."""
