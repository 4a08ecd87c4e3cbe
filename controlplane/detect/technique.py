"""Known techniques, read from `techniques.toml`: which ids name an act, and which acts learning is not to trust."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files

from inscope.behaviour import Behaviour, Open, actor_of, kind_of, subject_of
from inscope.reference import Dimension


class TechniqueDataError(ValueError):
    """The data file breaks its own rules: whoever edited it is at fault."""


@dataclass(frozen=True, slots=True)
class Technique:
    """One rule of the data file; see there for the fields. A pattern that is None matches everything."""

    name: str
    ids: tuple[str, ...]
    kind: str
    subject: re.Pattern[str] | None = None
    actor: re.Pattern[str] | None = None
    secret: bool = False
    provisional: frozenset[Dimension] = frozenset()

    def matches(self, behaviour: Behaviour) -> bool:
        """Whether `behaviour` looks like this technique."""
        if self.secret and not (isinstance(behaviour, Open) and behaviour.secret):
            return False
        return _found(self.subject, subject_of(behaviour)) and _found(self.actor, actor_of(behaviour))


class Techniques:
    """All rules, looked up by the behaviour's kind."""

    def __init__(self, rules: Iterable[Technique]) -> None:
        self._rules: dict[str, list[Technique]] = {}
        for rule in rules:
            self._rules.setdefault(rule.kind, []).append(rule)

    def matching(self, behaviour: Behaviour) -> tuple[Technique, ...]:
        """The rules that `behaviour` matches, in the order of the file."""
        return tuple(rule for rule in self._rules.get(kind_of(behaviour), ()) if rule.matches(behaviour))

    def ids(self, behaviour: Behaviour) -> tuple[str, ...]:
        """The technique ids of `behaviour`, each once."""
        return tuple(dict.fromkeys(name for rule in self.matching(behaviour) for name in rule.ids))

    def suspicion(self, behaviour: Behaviour) -> frozenset[Dimension]:
        """The dimensions in which `behaviour` is not to be trusted while learning."""
        return frozenset(dimension for rule in self.matching(behaviour) for dimension in rule.provisional)


def read_techniques(text: str) -> Techniques:
    """Rules from TOML.

    Raises:
        TechniqueDataError: a rule is malformed; the message names it.
    """
    try:
        return Techniques([_technique(fields) for fields in tomllib.loads(text)["technique"]])
    except (KeyError, TypeError, tomllib.TOMLDecodeError) as fault:
        raise TechniqueDataError(f"techniques: {fault}") from fault


def _technique(fields: Mapping[str, object]) -> Technique:
    unknown = fields.keys() - {"name", "ids", "kind", "subject", "actor", "secret", "provisional"}
    if unknown:
        raise TechniqueDataError(f"technique {fields.get('name')!r}: unknown {', '.join(sorted(unknown))}")
    try:
        return Technique(
            name=str(fields["name"]),
            ids=_strings(fields["ids"]),
            kind=str(fields["kind"]),
            subject=_pattern(fields.get("subject")),
            actor=_pattern(fields.get("actor")),
            secret=fields.get("secret") is True,
            provisional=frozenset(Dimension(name) for name in _strings(fields.get("provisional", []))),
        )
    except (ValueError, re.error) as fault:
        raise TechniqueDataError(f"technique {fields.get('name')!r}: {fault}") from fault


def _strings(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"expected a list, got {value!r}")
    return tuple(str(item) for item in value)


def _pattern(value: object) -> re.Pattern[str] | None:
    return None if value is None else re.compile(str(value))


def _found(pattern: re.Pattern[str] | None, text: str) -> bool:
    return pattern is None or pattern.search(text) is not None


KNOWN = read_techniques(files(__package__).joinpath("techniques.toml").read_text("utf-8"))
"""The rules that ship with inscope."""
