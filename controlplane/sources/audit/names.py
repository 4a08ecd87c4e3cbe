"""Whether an object's name is part of what was done: rules read from `names.toml`, and the names that grants say."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files

from inscope.permission import Authority, Permission


class NameDataError(ValueError):
    """The data file breaks its own rules: whoever edited it is at fault."""


@dataclass(frozen=True, slots=True)
class NameRules:
    """`kinds` are (service, resource) whose names are kept, but for those that match `made`. `granted` are kept of any
    kind: where a grant restricts by name, what is used must say it, or the grant would never cover it.
    """

    kinds: frozenset[tuple[str, str]]
    made: re.Pattern[str]
    granted: frozenset[str] = frozenset()

    def kept(self, service: str, resource: str, name: str) -> str:
        """`name` where it matters, else empty."""
        if name in self.granted:
            return name
        return name if (service, resource) in self.kinds and not self.made.fullmatch(name) else ""

    def and_those_of(self, permissions: Iterable[Permission]) -> NameRules:
        """The same, with the names that these grants say."""
        named = {each.name for each in permissions if each.authority is Authority.KUBERNETES and each.name}
        return replace(self, granted=self.granted | named)


def read_names(text: str) -> NameRules:
    """Rules from TOML.

    Raises:
        NameDataError: a rule is malformed, or has no reason.
    """
    try:
        data = tomllib.loads(text)
        kinds = [(_text(rule, "service"), kind) for rule in map(_reasoned, data["kind"]) for kind in _kinds(rule)]
        made = [re.compile(_text(rule, "pattern")).pattern for rule in map(_reasoned, data["made"])]
        return NameRules(frozenset(kinds), re.compile("|".join(f"(?:{pattern})" for pattern in made)))
    except (KeyError, TypeError, re.error, tomllib.TOMLDecodeError) as fault:
        raise NameDataError(f"names: {fault}") from fault


def _reasoned(rule: Mapping[str, object]) -> Mapping[str, object]:
    if not _text(rule, "reason"):
        raise NameDataError(f"names: no reason for {dict(rule)}")
    return rule


def _kinds(rule: Mapping[str, object]) -> list[str]:
    value = rule["resources"]
    if not isinstance(value, list):
        raise TypeError(f"resources is {value!r}, not a list")
    return [str(each) for each in value]


def _text(rule: Mapping[str, object], key: str) -> str:
    value = rule[key]
    if not isinstance(value, str):
        raise TypeError(f"{key} is {value!r}, not a text")
    return value


KEPT = read_names(files(__package__).joinpath("names.toml").read_text("utf-8"))
"""The rules that ship with inscope."""
