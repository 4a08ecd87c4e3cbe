"""The fields of a Kubernetes object, each of the type that its kind says, or an error that says where. Bounded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from inscope.text import printable

MAX_TEXT = 1_024
"""Characters of a text that are kept."""

MAX_ITEMS = 100_000
"""Elements of one list within an object."""

Body = Mapping[str, Any]


class MalformedObjectError(ValueError):
    """An object is not what its kind says. The message says where."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """A part of a label selector. `operator` is In, NotIn, Exists or DoesNotExist."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether `labels` meet it."""
        match self.operator:
            case "In":
                return labels.get(self.key) in self.values and self.key in labels
            case "NotIn":
                return labels.get(self.key) not in self.values
            case "Exists":
                return self.key in labels
            case _:
                return self.key not in labels


Selector = tuple[Requirement, ...]
"""All of it has to be met; an empty one chooses everything."""


def chooses(selector: Selector, labels: Mapping[str, str]) -> bool:
    """Whether all of `selector` is met."""
    return all(each.matches(labels) for each in selector)


def mapping(body: Body, key: str) -> Body:
    """An object; empty where there is none."""
    value = body.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise MalformedObjectError(f"{key} is no object")
    return value


def items(body: Body, key: str) -> list[Any]:
    """A list; empty where there is none."""
    value = body.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > MAX_ITEMS:
        raise MalformedObjectError(f"{key} is no list, or has more than {MAX_ITEMS:,} elements")
    return value


def bodies(body: Body, key: str) -> Iterator[Body]:
    """A list of objects."""
    for each in items(body, key):
        if not isinstance(each, Mapping):
            raise MalformedObjectError(f"{key} has something else than objects in it")
        yield each


def text(body: Body, key: str) -> str:
    """A text; empty where there is none."""
    value = body.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise MalformedObjectError(f"{key} is no text")
    return printable(value[:MAX_TEXT])


def strings(body: Body, key: str) -> tuple[str, ...]:
    """A list of texts."""
    values = items(body, key)
    if not all(isinstance(value, str) for value in values):
        raise MalformedObjectError(f"{key} has something else than text in it")
    return tuple(printable(value[:MAX_TEXT]) for value in values)


def strings_of(body: Body, key: str) -> dict[str, str]:
    """Labels, annotations."""
    return {str(name): printable(str(value)[:MAX_TEXT]) for name, value in mapping(body, key).items()}


def selector(body: Any) -> Selector:
    """A label selector."""
    if not isinstance(body, Mapping):
        raise MalformedObjectError("a selector that is no object")
    labels = [Requirement(key, "In", (value,)) for key, value in strings_of(body, "matchLabels").items()]
    for each in bodies(body, "matchExpressions"):
        if text(each, "operator") not in ("In", "NotIn", "Exists", "DoesNotExist"):
            raise MalformedObjectError("a selector's expression without a known operator")
        labels.append(Requirement(text(each, "key"), text(each, "operator"), strings(each, "values")))
    return tuple(labels)


def name(meta: Body) -> str:
    """Of an object."""
    said = text(meta, "name")
    if not said:
        raise MalformedObjectError("an object without a name")
    return said


def namespace(meta: Body) -> str:
    """Of an object of a kind that has one."""
    return text(meta, "namespace") or "default"


def created(meta: Body) -> float:
    """Seconds since the epoch; 0 where it is not said."""
    stamp = text(meta, "creationTimestamp")
    try:
        return datetime.fromisoformat(stamp).replace(tzinfo=UTC).timestamp() if stamp else 0.0
    except ValueError:
        return 0.0
