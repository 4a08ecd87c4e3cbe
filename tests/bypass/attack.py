"""What one attack is and what is declared of it: read from the comment that its file begins with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

ATTACKS = Path(__file__).parent / "attacks"

_COMMENTS = {
    ".c": re.compile(r"/\*(.*?)\*/", re.DOTALL),
    ".py": re.compile(r'"""(.*?)"""', re.DOTALL),
    ".sh": re.compile(r"(?:#!.*\n)?((?:#.*\n)+)"),
}
_DECLARATION = re.compile(r"([a-z]+(?:@[a-z]+)?): (.*)")


class State(StrEnum):
    """How an attack ends where its goal is out of reference, from the best to the worst."""

    PREVENTED = "prevented"
    """It does not happen."""

    CONTAINED = "contained"
    """It can happen, in a race; then it is found out: told as a contradiction, or the process is killed."""

    SEEN_ONLY = "seen only"
    """It happens, and an alert says so."""

    MISSED = "missed"
    """It happens, and nothing says so."""


class Room(StrEnum):
    """Where an attack runs."""

    ROOT = "root"
    """With every right, as in a container that runs as root."""

    USER = "user"
    """As an unprivileged user without capabilities, with no_new_privs."""

    FILTERED = "filtered"
    """Like USER, under an outer filter that denies what a container engine's default does."""

    RUNC = "runc"
    """In a container of runc with the restricted settings; init is PID 1."""


UNPRIVILEGED = frozenset({Room.USER, Room.FILTERED, Room.RUNC})


@dataclass(frozen=True, slots=True)
class Attack:
    """One file under `attacks/`. Its folder says what it is after.

    Args:
        seen: the kind of behaviour that must be out of reference when it runs; empty where nothing shows.
        works: the rooms in which it succeeds where nothing is denied. Elsewhere the kernel refuses it, and only that is
            asserted.
        enforce: how it ends in enforce.
        race: it is won now and then, so one run proves only that it ends no worse than declared.
        refused: why enforce refuses the benign run too; empty where it does not, as it should be.
        window: of what is only contained, how often it was won and how long it lasted, as measured.
    """

    path: Path
    title: str
    seen: str
    enforce: Mapping[Room, State]
    works: frozenset[Room]
    race: bool
    refused: str
    window: str

    @property
    def goal(self) -> str:
        return self.path.parent.name

    @property
    def name(self) -> str:
        return f"{self.goal}/{self.path.stem}"


class AttackError(Exception):
    """A file declares nothing, or what cannot be."""


def all_attacks() -> tuple[Attack, ...]:
    """Every attack, by name. Raises `AttackError`."""
    files = [path for path in ATTACKS.glob("*/*") if path.suffix in _COMMENTS and path.stem != "given"]
    return tuple(read(path) for path in sorted(files))


def read(path: Path) -> Attack:
    """One attack. Raises `AttackError`."""
    said = _comment(path)
    declared = dict(_declarations(said))
    title = " ".join(said[: next(at for at, line in enumerate([*said, ""]) if not line)])
    try:
        return Attack(
            path,
            title,
            declared["seen"].replace("nothing", ""),
            _enforced(declared),
            _rooms(declared.get("works", "")),
            declared.get("race", "no") == "yes",
            declared.get("refused", ""),
            declared.get("window", ""),
        )
    except (KeyError, ValueError) as error:
        raise AttackError(f"{path}: {error!r}") from error


def _comment(path: Path) -> list[str]:
    match = _COMMENTS[path.suffix].match(path.read_text())
    if match is None:
        raise AttackError(f"{path} does not begin with a comment")
    return [line.strip().lstrip("*#").strip() for line in match[1].splitlines()]


def _declarations(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        match = _DECLARATION.fullmatch(line)
        if match:
            yield match[1], match[2]


def _rooms(text: str) -> frozenset[Room]:
    """`nowhere`, or names of rooms; nothing is everywhere."""
    if text == "nowhere":
        return frozenset()
    return frozenset(Room(word) for word in text.split()) or frozenset(Room)


def _enforced(declared: Mapping[str, str]) -> Mapping[Room, State]:
    """`enforce`, and where it differs in one room `enforce@ROOM`."""
    return {room: State(declared.get(f"enforce@{room}", declared["enforce"])) for room in Room}
