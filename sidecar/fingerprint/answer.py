"""A description between the worker process and the sidecar: bounded JSON, believed no more than the file itself."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from inscope.binary import MALFORMED, MAX_NAME, MAX_NEEDED, ElfDescription, Linkage

MAX_ANSWER = 64 << 10
"""Bytes of one answer: one packet."""

_ESCAPED = 4
"""Characters that one escaped byte of a name takes (a backslash, x, two digits)."""


def encode(number: int, description: ElfDescription) -> bytes:
    """The answer to request `number`. Names that do not fit are cut: they describe, they do not identify."""
    for most in (len(description.needed), 8, 0):
        answer = _object(number, replace(description, needed=description.needed[:most]))
        if len(answer) <= MAX_ANSWER:
            return answer
    return _object(number, MALFORMED)


def _object(number: int, description: ElfDescription) -> bytes:
    fields = {
        "number": number,
        "linkage": description.linkage,
        "build_id": description.build_id,
        "soname": description.soname,
        "needed": description.needed,
        "interpreter": description.interpreter,
    }
    return json.dumps(fields).encode()


def decode(answer: bytes, number: int) -> ElfDescription:
    """The description in the answer to request `number`.

    Raises:
        ValueError: it is none, or answers another request.
    """
    fields: Any = json.loads(answer)
    if not isinstance(fields, dict) or fields.get("number") != number:
        raise ValueError("not the answer to this request")
    needed = fields.get("needed")
    if not isinstance(needed, list) or len(needed) > MAX_NEEDED:
        raise ValueError("needed is not a bounded list")
    return ElfDescription(
        Linkage(_name(fields.get("linkage"))),
        _name(fields.get("build_id")),
        _name(fields.get("soname")),
        tuple(_name(name) for name in needed),
        _name(fields.get("interpreter")),
    )


def _name(value: object) -> str:
    if not isinstance(value, str) or len(value) > _ESCAPED * MAX_NAME or not value.isprintable():
        raise ValueError("not a bounded printable name")
    return value
