"""Policy documents as statements (IAM JSON policy elements reference), strict where a guess would grant something."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from inscope.text import printable

MAX_DOCUMENT = 1 << 20
MAX_STATEMENTS = 1_000
MAX_VALUES = 5_000


class MalformedPolicyError(ValueError):
    """A policy is not what IAM would take. The message says where."""


@dataclass(frozen=True, slots=True)
class Condition:
    """`operator` on `key`; one of `values` has to fit."""

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. Either `actions` or `not_actions` is there, likewise resources; `label` names it for people.

    `principals` are (type, value) of a trust policy, `not_principals` those that it is about everybody but; both empty
    in an identity's own.
    """

    label: str
    allow: bool
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    not_resources: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    principals: tuple[tuple[str, str], ...] = ()
    not_principals: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy by its name."""

    name: str
    statements: tuple[Statement, ...]


def read_policy(name: str, document: object) -> Policy:
    """From an object, or from its text, URL-encoded or not, as the API gives it. A statement names what it is about:
    resources, or, in a trust policy, principals.

    Raises:
        MalformedPolicyError: it is none.
    """
    body = _parsed(name, document)
    listed = body.get("Statement")
    statements = listed if isinstance(listed, list) else [listed]
    if len(statements) > MAX_STATEMENTS:
        raise MalformedPolicyError(f"{name}: {len(statements):,} statements, at most {MAX_STATEMENTS:,}")
    return Policy(name, tuple(_statement(name, number, each) for number, each in enumerate(statements, 1)))


def _parsed(name: str, document: object) -> Mapping[str, Any]:
    if isinstance(document, str):
        if len(document) > MAX_DOCUMENT:
            raise MalformedPolicyError(f"{name}: larger than {MAX_DOCUMENT >> 20} MiB")
        try:
            document = json.loads(unquote(document) if document.lstrip().startswith("%") else document)
        except (ValueError, RecursionError) as error:
            raise MalformedPolicyError(f"{name}: no JSON: {error}") from error
    if not isinstance(document, Mapping) or "Statement" not in document:
        raise MalformedPolicyError(f"{name}: no Statement")
    return document


def _statement(name: str, number: int, body: object) -> Statement:
    where = f"{name}, statement {number}"
    if not isinstance(body, Mapping) or body.get("Effect") not in ("Allow", "Deny"):
        raise MalformedPolicyError(f"{where}: Effect is neither Allow nor Deny")
    if ("Action" in body) == ("NotAction" in body):
        raise MalformedPolicyError(f"{where}: not one of Action and NotAction")
    if "Resource" in body and "NotResource" in body:
        raise MalformedPolicyError(f"{where}: both Resource and NotResource")
    if not any(key in body for key in ("Resource", "NotResource", "Principal", "NotPrincipal")):
        raise MalformedPolicyError(f"{where}: no Resource and no NotResource")
    empty = [
        key for key in ("Action", "NotAction", "Resource", "NotResource") if key in body and body[key] in ([], None)
    ]
    if empty:
        raise MalformedPolicyError(f"{where}: {empty[0]} is empty")
    sid = body.get("Sid")
    return Statement(
        label=f"statement {printable(sid[:100])}" if isinstance(sid, str) and sid else f"statement {number}",
        allow=body["Effect"] == "Allow",
        actions=_strings(where, body, "Action"),
        not_actions=_strings(where, body, "NotAction"),
        resources=_strings(where, body, "Resource"),
        not_resources=_strings(where, body, "NotResource"),
        conditions=tuple(_conditions(where, body.get("Condition"))),
        principals=tuple(_principals(where, body.get("Principal"))),
        not_principals=tuple(_principals(where, body.get("NotPrincipal"))),
    )


def _conditions(where: str, body: object) -> list[Condition]:
    if body is None:
        return []
    if not isinstance(body, Mapping):
        raise MalformedPolicyError(f"{where}: Condition is no object")
    found = []
    for operator, keys in body.items():
        if not isinstance(keys, Mapping):
            raise MalformedPolicyError(f"{where}: {operator} is no object")
        found += [Condition(str(operator), str(key), _strings(where, keys, key)) for key in keys]
    return found


def _principals(where: str, body: object) -> list[tuple[str, str]]:
    if body is None:
        return []
    if body == "*":
        return [("AWS", "*")]
    if not isinstance(body, Mapping):
        raise MalformedPolicyError(f"{where}: Principal is no object")
    return [(str(kind), value) for kind in body for value in _strings(where, body, kind)]


def _strings(where: str, body: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = body.get(key)
    if value is None:
        return ()
    values = value if isinstance(value, list) else [value]
    if len(values) > MAX_VALUES:
        raise MalformedPolicyError(f"{where}: {key} has {len(values):,} values, at most {MAX_VALUES:,}")
    if not all(isinstance(each, str | bool | int | float) for each in values):
        raise MalformedPolicyError(f"{where}: {key} has something else than text in it")
    return tuple(printable(_text(each)[:2_048]) for each in values)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
