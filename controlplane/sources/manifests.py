"""Files of Kubernetes objects: YAML of several documents, JSON, and Lists of either. Bounded in depth and number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
import yaml

from controlplane.sources.fields import Body
from inscope.text import printable

MAX_OBJECTS = 500_000
MAX_FAULTS = 1_000
MAX_DEPTH = 64

_SAFE = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_SAFE):  # type: ignore[misc, valid-type]  # the C loader where PyYAML has it
    """A safe loader to which a date is the text that it is."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _SAFE.yaml_implicit_resolvers.items()
}


def objects_in(files: Iterable[tuple[str, bytes]], faults: list[str]) -> Iterator[tuple[str, Body]]:
    """Each object in `files`, which are (name, content), with the name of its file. What is no object is told in
    `faults`, and loses nothing but itself or, where that cannot be told, the rest of its file.
    """
    for number, (name, body) in enumerate(_bodies(files, faults)):
        if number >= MAX_OBJECTS:
            note(faults, f"{name}: more than {MAX_OBJECTS:,} objects: the rest is left out")
            return
        yield name, body


def note(faults: list[str], fault: str) -> None:
    """Add one, if there are not too many."""
    if len(faults) < MAX_FAULTS:
        faults.append(printable(fault[:500]))


def load_one(content: bytes) -> Any:
    """The one document that `content` is, of either kind.

    Raises:
        ValueError: it is none, or several.
    """
    try:
        documents = list(_documents(content))
    except (yaml.YAMLError, RecursionError) as fault:
        raise ValueError(" ".join(str(fault).split())) from fault
    if len(documents) != 1:
        raise ValueError(f"{len(documents)} documents instead of one")
    return documents[0]


def _bodies(files: Iterable[tuple[str, bytes]], faults: list[str]) -> Iterator[tuple[str, Body]]:
    for name, content in files:
        try:
            for document in _documents(content):
                for body in _listed(document):
                    yield name, body
        except (yaml.YAMLError, RecursionError, ValueError) as fault:
            note(faults, f"{name}: {' '.join(str(fault).split())}")


def _documents(content: bytes) -> Iterator[Any]:
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start in (b"{", b"["):
        yield msgspec.json.decode(content)
        return
    _refuse_bombs(content)
    yield from yaml.load_all(content, Loader=_Loader)


def _refuse_bombs(content: bytes) -> None:
    """A few lines of aliases are gigabytes when they are written out, and Kubernetes' own tools write none."""
    depth = 0
    for event in yaml.parse(content, Loader=_SAFE):
        if isinstance(event, yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not read: write them out")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise yaml.YAMLError(f"nested more than {MAX_DEPTH} deep")


def _listed(document: Any) -> Iterator[Body]:
    if isinstance(document, list):
        for item in document:
            yield from _listed(item)
    elif isinstance(document, Mapping):
        items = document.get("items")
        if isinstance(items, list) and str(document.get("kind", "")).endswith("List"):
            kind = str(document["kind"]).removesuffix("List")
            for item in items:
                if isinstance(item, Mapping):  # the API leaves kind out of a list's items
                    yield {"kind": kind, "apiVersion": document.get("apiVersion", ""), **item}
        else:
            yield document
    elif document is not None:
        raise ValueError("a document that is no object")
