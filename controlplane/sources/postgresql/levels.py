"""How grave a privilege is. Pure."""

from __future__ import annotations

from inscope.permission import Level

_LEVELS = {
    "SELECT": Level.READ,
    "USAGE": Level.LIST,
    "CONNECT": Level.LIST,
    "INSERT": Level.WRITE,
    "UPDATE": Level.WRITE,
    "DELETE": Level.WRITE,
    "TRUNCATE": Level.WRITE,
    "EXECUTE": Level.WRITE,
    "TEMPORARY": Level.WRITE,
}


def level_of(action: str) -> Level:
    """What is not listed (REFERENCES, TRIGGER, CREATE, GRANT, …) shapes what there is or what others may."""
    return _LEVELS.get(action, Level.PERMISSIONS)
