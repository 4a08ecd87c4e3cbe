"""Whom a session is acting as: the roles that it took on with SET ROLE, and what a transaction takes back. Pure."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass

MAX_SESSIONS = 20_000
"""Sessions that are remembered, those that acted last: of a forgotten one the login role counts."""

_NAME = r"""(?:\"(?P<quoted>(?:[^\"]|\"\")+)\"|'(?P<literal>(?:[^']|'')+)'|(?P<plain>[^\s\"';,()]+))"""
_SET_ROLE = re.compile(rf"\s*set\s+(?P<local>local\s+)?(?:session\s+)?role\s+(?:to\s+|=\s*)?{_NAME}", re.IGNORECASE)
_AUTHORIZATION = re.compile(
    rf"\s*set\s+(?P<local>local\s+)?(?:session\s+)?session\s+authorization\s+{_NAME}", re.IGNORECASE
)
_CONFIG = re.compile(
    r"set_config\s*\(\s*'role'\s*,\s*'(?P<literal>(?:[^']|'')+)'\s*,\s*(?P<local>true|'t')?", re.IGNORECASE
)
_RESET = re.compile(r"\s*(?:reset\s+(?:role|session\s+authorization)|discard\s+all)\b", re.IGNORECASE)
_SAVEPOINT = re.compile(r"\s*rollback\s+(?:work\s+|transaction\s+)?to\b", re.IGNORECASE)
_BEGIN, _COMMIT, _ROLLBACK = frozenset({"BEGIN", "START TRANSACTION"}), frozenset({"COMMIT"}), frozenset({"ROLLBACK"})


@dataclass(slots=True)
class Session:
    """`role` is taken on; empty: the login role's own. `before` is what a rollback restores, `after` what a commit
    leaves; both are None out of a transaction. `failed`: its COMMIT rolls it back.
    """

    role: str = ""
    before: str | None = None
    after: str | None = None
    failed: bool = False


class Sessions:
    """By id, bounded."""

    def __init__(self, capacity: int = MAX_SESSIONS) -> None:
        self._capacity = capacity
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def role(self, session: str) -> str:
        """Whom it acts as; empty: the login role."""
        found = self._sessions.get(session)
        return found.role if found else ""

    def ran(self, session: str, command: str, statement: str) -> str:
        """A statement ran that may change it. The role that was taken on by it; empty where none was."""
        if command in _BEGIN:
            state = self._known(session)
            state.before = state.after = state.role
        elif command in _ROLLBACK and _SAVEPOINT.match(statement):
            self._known(session).failed = False
        elif command in _COMMIT or command in _ROLLBACK:
            self._end(session, committed=command in _COMMIT)
        elif _RESET.match(statement):
            self._become(session, "", local=False)
        elif match := _SET_ROLE.match(statement) or _AUTHORIZATION.match(statement) or _CONFIG.search(statement):
            role = _name(match)
            self._become(session, role, local=bool(match["local"]))
            return role
        return ""

    def failed(self, session: str) -> None:
        """A statement of it failed, and with it the transaction that it is in."""
        state = self._sessions.get(session)
        if state and state.before is not None:
            state.failed = True

    def _become(self, session: str, role: str, *, local: bool) -> None:
        if not role and session not in self._sessions:
            return
        state = self._known(session)
        if state.before is None and local:
            return  # out of a transaction it has no effect
        state.role = role
        if not local and state.before is not None:
            state.after = role

    def _end(self, session: str, *, committed: bool) -> None:
        state = self._sessions.get(session)
        if state and state.before is not None:
            state.role = (state.after if committed and not state.failed else state.before) or ""
            state.before, state.after, state.failed = None, None, False

    def _known(self, session: str) -> Session:
        state = self._sessions.pop(session, None) or Session()
        self._sessions[session] = state
        if len(self._sessions) > self._capacity:
            self._sessions.popitem(last=False)
        return state


def _name(match: re.Match[str]) -> str:
    groups = match.groupdict()
    if groups.get("quoted"):
        return groups["quoted"].replace('""', '"')
    literal, plain = groups.get("literal"), groups.get("plain")
    name = literal.replace("''", "'") if literal else (plain or "").lower()
    return "" if name.lower() in ("none", "default") else name
