"""What a role may do equals the server's own answer, on generated grants."""

from __future__ import annotations

from random import Random

import pytest

from controlplane.sources.postgresql import CATALOG, read_declaration
from controlplane.sources.postgresql.catalog import read_catalog
from controlplane.sources.postgresql.privileges import Privileges
from inscope.permission import Authority, Level, Permission
from tests.postgresql.server import Server

ROLES = ["app", "reader", "Odd Name", "loner", "boss", "all_reader", "stepper"]
TABLES = ["sales.orders", "sales.customers", "public.notes", "public.view_of_orders"]
PRIVILEGES = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"]
FUNCTIONS = ["sales.total", "public.note"]


def quoted(role: str) -> str:
    return f'"{role}"'


@pytest.fixture(scope="module")
def granted(server: Server) -> str:
    """A database in which much is granted; what its catalogs say."""
    random = Random(3)
    server.sql("CREATE DATABASE shop")
    text = [f"CREATE ROLE {quoted(role)} LOGIN;" for role in ROLES]
    text += ["ALTER ROLE stepper NOINHERIT;", "ALTER ROLE boss SUPERUSER;", "GRANT pg_read_all_data TO all_reader;"]
    text += ["GRANT reader TO app;", 'GRANT "Odd Name" TO reader;', "GRANT app TO stepper;"]
    text += ["CREATE SCHEMA sales;", "CREATE TABLE sales.orders (id int, card_number text);"]
    text += ["CREATE TABLE sales.customers (id int, email text, note text);", "CREATE TABLE public.notes (t text);"]
    text += ["COMMENT ON TABLE public.notes IS 'personal data, of all kinds';"]
    text += ["CREATE VIEW public.view_of_orders AS SELECT * FROM sales.orders;"]
    text += ["CREATE FUNCTION sales.total() RETURNS int LANGUAGE sql AS 'SELECT 1';"]
    text += ["CREATE FUNCTION public.note() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';"]
    text += ["REVOKE EXECUTE ON FUNCTION sales.total() FROM PUBLIC;", "ALTER TABLE public.notes OWNER TO app;"]
    text += ["REVOKE TRUNCATE ON public.notes FROM app;", "GRANT SELECT (email) ON sales.customers TO loner;"]
    for _ in range(30):
        grantee = random.choice([*map(quoted, ROLES), "PUBLIC"])
        text.append(f"GRANT {random.choice(PRIVILEGES)} ON {random.choice(TABLES)} TO {grantee};")
    text += [f"GRANT USAGE ON SCHEMA sales TO {quoted('reader')};", "GRANT EXECUTE ON FUNCTION sales.total() TO app;"]
    server.sql("\n".join(text), database="shop")
    return server.sql(CATALOG, database="shop")


def test_decisions_equal_the_servers(server: Server, granted: str) -> None:
    ours = Privileges(read_catalog([("shop", granted.encode())]))
    asked = [(role, privilege, "table", name) for role in ROLES for name in TABLES for privilege in PRIVILEGES]
    asked += [(role, "EXECUTE", "function", name) for role in ROLES for name in FUNCTIONS]
    asked += [(role, "USAGE", "schema", name) for role in ROLES for name in ("sales", "public")]
    asked += [(role, action, "database", "shop") for role in ROLES for action in ("CONNECT", "CREATE", "TEMPORARY")]
    calls = [
        f"SELECT has_{kind}_privilege('{role}', '{name}{'()' if kind == 'function' else ''}', '{privilege}');"
        for role, privilege, kind, name in asked
    ]
    theirs = [line == "t" for line in server.sql("\n".join(calls), database="shop").split()]
    mine = [ours.may(role, privilege, name, kind) for role, privilege, kind, name in asked]
    assert [each for each, one, other in zip(asked, mine, theirs, strict=True) if one != other] == []
    assert len(asked) >= 240
    assert 0.2 < sum(theirs) / len(theirs) < 0.8


def test_a_grant_is_a_path_and_a_level_and_weighs_by_what_it_reaches(granted: str) -> None:
    declaration = read_declaration([("shop", granted.encode())], "db:5432", 1.0)
    assert declaration.faults == ()
    mine = [grant for grant in declaration.grants if grant.principal == "app"]
    assert ("member of reader", "member of Odd Name", "grants to Odd Name") in {grant.path for grant in mine}
    assert any(grant.inherited == "PUBLIC" for grant in mine)
    loner = [grant for grant in declaration.grants if grant.principal == "loner" and grant.level is Level.READ]
    weights = {reason for grant in loner for reason in grant.weight}
    assert {"reaches customer PII", "only columns email of sales.customers"} <= weights
    owner = next(grant for grant in mine if grant.path == ("grants to app",) and grant.level is Level.WRITE)
    assert owner.covers(Permission(Authority.POSTGRESQL, "shop", "DELETE", "public.notes"))
    assert any(grant.conditional for grant in declaration.grants if grant.principal == "stepper")
    assert {grant.size for grant in declaration.grants if grant.principal == "boss"} == {-1}
