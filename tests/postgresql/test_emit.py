"""The least-privilege script, applied to a real server: what was used still works, what was latent is denied."""

from __future__ import annotations

import io

import pytest

from controlplane.sources.postgresql import CATALOG, read_declaration
from controlplane.sources.postgresql.emit import least_privilege
from controlplane.sources.postgresql.names import quoted
from controlplane.sources.postgresql.reader import PostgresReader
from inscope.behaviour import Outcome, PermissionUse
from inscope.permission import Authority, Permission
from tests.postgresql.server import Server

DATABASE = 'em\'it "x" \\'
ROLE = "wor\"k'er; DROP TABLE orders --"
SETUP = f"""
    CREATE ROLE {quoted(ROLE)} LOGIN; CREATE ROLE clerks; GRANT clerks TO {quoted(ROLE)};
    CREATE TABLE orders (id serial, customer text, total int); CREATE TABLE customers (id int, email text);
    CREATE SCHEMA "Odd.Schema"; CREATE TABLE "Odd.Schema"."a "" b'; --" (n int);
    CREATE TABLE people (id int, name text, email text); GRANT SELECT (id, name) ON people TO clerks;
    CREATE FUNCTION look(int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN $1; END';
    CREATE FUNCTION peek() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
    REVOKE EXECUTE ON FUNCTION look(int), peek() FROM PUBLIC; GRANT EXECUTE ON FUNCTION look(int), peek() TO clerks;
    GRANT ALL ON orders, customers TO clerks; GRANT USAGE ON SEQUENCE orders_id_seq TO clerks;
    GRANT ALL ON SCHEMA "Odd.Schema" TO {quoted(ROLE)}; GRANT ALL ON "Odd.Schema"."a "" b'; --" TO {quoted(ROLE)};
"""
USED = (
    "SELECT * FROM orders",
    "INSERT INTO orders (customer) VALUES ('x') RETURNING id",
    "UPDATE orders SET total = 1 WHERE id = 1",
    'SELECT * FROM "Odd.Schema"."a "" b\'; --"',
    "SELECT name FROM people",
    "SELECT look(1)",
)
LATENT = (
    "DELETE FROM orders",
    "SELECT * FROM customers",
    "INSERT INTO \"Odd.Schema\".\"a \"\" b'; --\" VALUES (1)",
    "SELECT email FROM people",
    "SELECT peek()",
    "TRUNCATE orders",
    "CREATE TABLE \"Odd.Schema\".mine (n int)",
    "SET ROLE clerks",
)  # fmt: skip


def works(server: Server, statement: str) -> bool:
    try:
        server.sql(statement, role=ROLE, database=DATABASE)
    except AssertionError as refused:
        if "permission denied" not in str(refused):
            raise
        return False
    return True


def test_applied_what_was_used_works_and_what_was_latent_is_denied(server: Server) -> None:
    server.sql(f"CREATE DATABASE {quoted(DATABASE)}")
    server.sql(SETUP, database=DATABASE)
    for statement in USED:
        server.sql(statement, role=ROLE, database=DATABASE)
    server.sql("SELECT 1 -- all used", role=ROLE, database=DATABASE)
    log = server.logged("all used")
    used = {
        each.behaviour.permission
        for each in PostgresReader().read(io.BytesIO(log))
        if isinstance(each.behaviour, PermissionUse)
        and each.behaviour.outcome is Outcome.ALLOWED
        and each.identity.principal == ROLE
    }
    declaration = read_declaration([("x", server.sql(CATALOG, database=DATABASE).encode())], "", 1.0)
    held = [grant for grant in declaration.grants if grant.principal == ROLE]
    script = least_privilege(ROLE, used, held)

    with pytest.raises(AssertionError, match="this is for the database"):
        server.sql(script)
    server.sql(script, database=DATABASE)

    assert [statement for statement in USED if not works(server, statement)] == []
    assert [statement for statement in LATENT[:-1] if works(server, statement)] == []
    assert not works(server, LATENT[-1])


def test_nothing_used_is_no_script() -> None:
    assert least_privilege("agent", [Permission(Authority.AWS, "s3", "GetObject", "*")], []) == ""
