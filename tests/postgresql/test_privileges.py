"""What a role may do equals the server's own answer, on generated grants; what a login role holds, as grants."""

from __future__ import annotations

from random import Random

import pytest

from controlplane.sources.postgresql import CATALOG, read_declaration
from controlplane.sources.postgresql.catalog import read_catalogs
from controlplane.sources.postgresql.names import literal, quoted
from controlplane.sources.postgresql.privileges import Privileges
from inscope.grant import Grant
from inscope.permission import Authority, Level, Permission
from tests.postgresql.server import Server

ROLES = ["app", "reader", "Odd Name", 'a"b', "loner", "boss", "all_reader", "all_writer", "stepper", "climber", "owner"]
TABLES = {
    "sales.orders": ["id", "card_number"],
    "sales.customers": ["id", "email", "note"],
    "public.notes": ["t"],
    "public.view_of_orders": ["id", "card_number"],
    '"Odd.Schema"."Odd ""Table"""': ["id", '"a column"'],
}
SEQUENCES = ["sales.counter", '"Odd.Schema"."Select"']
FUNCTIONS = ["sales.total()", "sales.total(integer, text)", "public.note()"]
ON_TABLES = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"]
ON_COLUMNS = ["SELECT", "INSERT", "UPDATE", "REFERENCES"]
ON_SEQUENCES = ["USAGE", "SELECT", "UPDATE"]

Question = tuple[str, str, str, str, str]
"""Role, privilege, kind, object, column."""


def setup(random: Random) -> str:
    text = [f"CREATE ROLE {quoted(role)} LOGIN;" for role in ROLES]
    text += ["ALTER ROLE stepper NOINHERIT;", "ALTER ROLE boss SUPERUSER;", "GRANT pg_read_all_data TO all_reader;"]
    text += ["GRANT pg_write_all_data TO all_writer;", "GRANT reader TO app;", 'GRANT "Odd Name" TO reader;']
    text += ["GRANT app TO stepper;", "GRANT boss TO climber;", "ALTER ROLE climber NOINHERIT;"]
    text += ["ALTER DATABASE shop OWNER TO owner;", "CREATE SCHEMA sales;", 'CREATE SCHEMA "Odd.Schema";']
    text += ["CREATE TABLE sales.orders (id int, card_number text);", "CREATE TABLE public.notes (t text);"]
    text += ["CREATE TABLE sales.customers (id int, email text, note text);"]
    text += ['CREATE TABLE "Odd.Schema"."Odd ""Table""" (id int, "a column" text);']
    text += ["COMMENT ON TABLE public.notes IS 'personal data, of all kinds';"]
    text += ["CREATE VIEW public.view_of_orders AS SELECT * FROM sales.orders;"]
    text += [f"CREATE SEQUENCE {sequence};" for sequence in SEQUENCES]
    text += ["CREATE FUNCTION sales.total() RETURNS int LANGUAGE sql AS 'SELECT 1';"]
    text += ["CREATE FUNCTION sales.total(int, text) RETURNS int LANGUAGE sql AS 'SELECT 1';"]
    text += ["CREATE FUNCTION public.note() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';"]
    text += [f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC;" for function in FUNCTIONS]
    text += ["ALTER TABLE public.notes OWNER TO app;", "REVOKE TRUNCATE ON public.notes FROM app;"]
    text += ["ALTER TABLE sales.customers ENABLE ROW LEVEL SECURITY;"]
    text += ["GRANT SELECT (email) ON sales.customers TO loner;", "GRANT USAGE ON SCHEMA sales TO reader, loner;"]
    text += ["ALTER DEFAULT PRIVILEGES IN SCHEMA sales GRANT SELECT ON TABLES TO loner;"]
    grantees = [*map(quoted, ROLES), "PUBLIC"]
    text += [f"GRANT {random.choice(ON_TABLES)} ON {random.choice([*TABLES])} TO {random.choice(grantees)};"
             for _ in range(30)]  # fmt: skip
    for _ in range(30):
        table = random.choice([*TABLES])
        column = random.choice(TABLES[table])
        text.append(f"GRANT {random.choice(ON_COLUMNS)} ({column}) ON {table} TO {random.choice(grantees)};")
    text += [f"GRANT {random.choice(ON_SEQUENCES)} ON SEQUENCE {random.choice(SEQUENCES)} TO {random.choice(grantees)};"
             for _ in range(8)]  # fmt: skip
    text += [f"GRANT EXECUTE ON FUNCTION {random.choice(FUNCTIONS)} TO {random.choice(grantees)};" for _ in range(6)]
    text += ["GRANT CREATE ON SCHEMA sales TO reader;", "REVOKE CONNECT ON DATABASE shop FROM PUBLIC;"]
    text += ["GRANT CONNECT ON DATABASE shop TO app, postgres;", 'GRANT CREATE ON DATABASE shop TO "Odd Name";']
    return "\n".join(text)


def questions() -> list[Question]:
    schemas, actions = ("sales", "public", '"Odd.Schema"'), ("CONNECT", "CREATE", "TEMPORARY")
    return [
        *((role, what, "table", name, "") for role in ROLES for name in TABLES for what in ON_TABLES),
        *((role, what, "table", name, column) for role in ROLES for name, columns in TABLES.items()
          for column in columns for what in ON_COLUMNS),
        *((role, what, "sequence", name, "") for role in ROLES for name in SEQUENCES for what in ON_SEQUENCES),
        *((role, "EXECUTE", "function", name, "") for role in ROLES for name in FUNCTIONS),
        *((role, what, "schema", name, "") for role in ROLES for name in schemas for what in ("USAGE", "CREATE")),
        *((role, what, "database", "shop", "") for role in ROLES for what in actions),
    ]  # fmt: skip


def asked(role: str, privilege: str, kind: str, name: str, column: str) -> str:
    if kind == "schema":
        name = name.strip('"')  # the one kind of object that the function takes by its bare name
    if column:
        words = (role, name, column.strip('"'), privilege)
        return f"SELECT has_column_privilege({', '.join(map(literal, words))});"
    return f"SELECT has_{kind}_privilege({', '.join(map(literal, (role, name, privilege)))});"


def answers(server: Server, about: list[Question]) -> list[bool]:
    return [line == "t" for line in server.sql("\n".join(asked(*each) for each in about), database="shop").split()]


@pytest.fixture(scope="module")
def granted(server: Server) -> str:
    """A database in which much is granted; what its catalogs say."""
    server.sql("CREATE DATABASE shop")
    server.sql(setup(Random(3)), database="shop")
    return server.sql(CATALOG, database="shop")


def test_decisions_equal_the_servers(server: Server, granted: str) -> None:
    (catalog,) = read_catalogs([("shop", granted.encode())])
    ours, all_of_them = Privileges(catalog), questions()
    theirs = [
        line == "t" for line in server.sql("\n".join(asked(*each) for each in all_of_them), database="shop").split()
    ]
    mine = [ours.may(*each) for each in all_of_them]
    assert [each for each, one, other in zip(all_of_them, mine, theirs, strict=True) if one != other] == []
    assert len(all_of_them) >= 1_000
    assert 0.2 < sum(theirs) / len(theirs) < 0.8


def grants_of(text: str, role: str) -> list[Grant]:
    return [
        each for each in read_declaration([("shop", text.encode())], "db:5432", 1.0).grants if each.principal == role
    ]


def test_grants_allow_what_the_server_allows(server: Server, granted: str) -> None:
    """Of those that nothing limits: each table, column, schema and database, to the letter."""
    kinds = [each for each in questions() if each[2] in ("table", "schema", "database") and each[0] != "boss"]
    theirs = answers(server, kinds)
    declared = {role: grants_of(granted, role) for role in ROLES}
    wrong = []
    for (role, action, _, name, column), allowed in zip(kinds, theirs, strict=True):
        wanted = [Permission(Authority.POSTGRESQL, "shop", action, name)]
        if column:
            wanted.append(Permission(Authority.POSTGRESQL, "shop", action, f"{name}.{column}"))
        held = any(
            grant.covers(each)
            for grant in declared[role]
            for each in wanted
            if not any(step.startswith(("SET ROLE", "default")) for step in grant.path) and "owner" not in grant.path
        )
        if held != allowed:
            wrong.append((role, action, name, column, allowed))
    assert wrong == []


def test_a_grant_is_a_path_and_a_level_and_weighs_by_what_it_reaches(granted: str) -> None:
    declaration = read_declaration([("shop", granted.encode())], "db:5432", 1.0)
    assert declaration.faults == ()
    mine = grants_of(granted, "app")
    assert ("member of reader", "member of Odd Name", "grants to Odd Name") in {grant.path for grant in mine}
    assert any(grant.inherited == "PUBLIC" for grant in mine)
    loner = [grant for grant in grants_of(granted, "loner") if grant.level is Level.READ]
    of_the_column = next(grant for grant in loner if any("email" in each.resource for each in grant.permissions))
    assert "reaches customer PII (sales.customers: email)" in of_the_column.weight
    assert of_the_column.conditional, "by row level security"
    owner = next(grant for grant in mine if grant.path == ("owner",))
    assert owner.level is Level.PERMISSIONS
    assert owner.covers(Permission(Authority.POSTGRESQL, "shop", "DROP TABLE", "public.notes"))
    assert any("personal" in reason or "customer PII (public.notes)" in reason for reason in owner.weight)


def test_who_may_become_a_superuser_holds_everything_after_set_role(granted: str) -> None:
    (everything,) = [grant for grant in grants_of(granted, "climber") if grant.size < 0 and "superuser" in grant.path]
    assert everything.path == ("SET ROLE boss", "superuser")
    assert everything.conditional
    assert {grant.size for grant in grants_of(granted, "boss")} == {-1}


def test_what_is_inherited_only_by_set_role_says_so(granted: str) -> None:
    paths = {grant.path for grant in grants_of(granted, "stepper") if grant.conditional}
    assert ("SET ROLE app", "owner") in paths
    assert ("SET ROLE app", "member of reader", "grants to reader") in paths


def test_default_privileges_are_of_what_comes(granted: str) -> None:
    coming = [each for each in grants_of(granted, "loner") if "default privileges of postgres in sales" in each.path]
    assert coming
    assert all(grant.conditional and grant.size == -1 for grant in coming)
    assert coming[0].covers(Permission(Authority.POSTGRESQL, "shop", "SELECT", "sales.tomorrow"))
