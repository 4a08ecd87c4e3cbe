"""What the databases of a server declare, put together. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.resources import files

from controlplane.sources.postgresql.catalog import Catalog, read_catalogs
from controlplane.sources.postgresql.classes import SHIPPED, Classes
from controlplane.sources.postgresql.grants import Grants
from inscope.grant import Declaration, Grant, Link, LinkKind
from inscope.permission import Authority
from inscope.text import printable

CATALOG = files(__package__).joinpath("catalog.sql").read_text("utf-8")
"""The questions that a database is asked, as a script for psql."""


class NoCatalogError(ValueError):
    """The files are not what `catalog.sql` prints."""


def read_declaration(
    contents: Iterable[tuple[str, bytes]], server: str, now: float, classes: Classes = SHIPPED
) -> Declaration:
    """From (name, content), of one or several databases of `server`.

    Raises:
        NoCatalogError: there is no role in any.
    """
    grants: list[Grant] = []
    links: dict[Link, None] = {}
    faults: list[str] = []
    seen = False
    for catalog in read_catalogs(contents):
        seen = seen or bool(catalog.roles)
        faults += catalog.faults
        grants += Grants(catalog, classes)
        links |= dict.fromkeys(_links(catalog))
    if not seen:
        why = "; ".join(faults[:3]) or "no role"
        raise NoCatalogError(f"nothing to import: {why} (is it what the script of `--query` printed?)")
    return Declaration(Authority.POSTGRESQL, server, now, tuple(grants), tuple(links), tuple(faults))


def _links(catalog: Catalog) -> Iterator[Link]:
    for each in catalog.members:
        how = "inherited" if each.inherit else "by SET ROLE"
        yield Link(LinkKind.ASSUMES, printable(each.member), printable(each.role), f"membership, {how}")
