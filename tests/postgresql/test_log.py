"""What pgaudit writes of real sessions: the tables that really were touched, how many rows, and what was refused."""

from __future__ import annotations

import gzip
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.sources.postgresql.reader import PostgresReader
from inscope.behaviour import Means, Outcome, PermissionUse, RoleAssumption
from inscope.exercise import Exercise
from inscope.permission import Level
from tests.postgresql.server import Server

TRANSACTIONS = """
    BEGIN; SET LOCAL ROLE other; SELECT * FROM first; COMMIT; SELECT * FROM second;
    BEGIN; SET ROLE other; ROLLBACK; SELECT * FROM third;
    SELECT set_config('role', 'other', false); SELECT * FROM fourth;
"""


@pytest.fixture(scope="module")
def told(server: Server) -> list[Exercise]:
    server.sql("CREATE DATABASE logged")
    setup = """
        CREATE ROLE worker LOGIN; CREATE ROLE other; GRANT other TO worker;
        CREATE TABLE customers (id int, email text); INSERT INTO customers SELECT n, 'x' FROM generate_series(1, 50) n;
        CREATE VIEW people AS SELECT * FROM customers; CREATE TABLE hidden (t text);
        CREATE TABLE shown (t text); GRANT SELECT ON shown TO worker;
        CREATE FUNCTION look() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM shown); END';
        CREATE FUNCTION peek() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS
            'BEGIN RETURN (SELECT count(*) FROM hidden); END';
        CREATE EXTENSION pgaudit; CREATE SCHEMA "Odd.Schema"; GRANT ALL ON SCHEMA "Odd.Schema" TO worker;
        CREATE TABLE others (t text); GRANT SELECT ON others TO other;
        CREATE TABLE first (t text); CREATE TABLE second (t text); CREATE TABLE third (t text);
        CREATE TABLE fourth (t text);
        GRANT SELECT ON first, second, third, fourth TO worker, other;
        GRANT SELECT, INSERT ON customers TO worker; GRANT SELECT ON people TO worker;
    """
    server.sql(setup, database="logged")
    server.sql("SELECT * FROM people", role="worker", database="logged")
    server.sql("SELECT look(), peek()", role="worker", database="logged")
    server.sql("INSERT INTO customers SELECT 51, 'a secret \"quoted\", with commas'", role="worker", database="logged")
    server.sql("SELECT * FROM hidden", role="worker", database="logged", check=False)
    server.sql("SET ROLE other; SELECT * FROM others", role="worker", database="logged")
    server.sql(TRANSACTIONS, role="worker", database="logged", check=False)
    server.sql("COPY customers TO STDOUT", role="worker", database="logged")
    server.sql('CREATE TABLE "Odd.Schema".made (n int)', role="worker", database="logged")
    server.sql("ALTER TABLE hidden ADD c int", role="worker", database="logged", check=False)
    server.sql("SET ROLE postgres", role="worker", database="logged", check=False)
    server.sql("COPY hidden TO PROGRAM 'cat > /dev/null'", database="logged")
    server.sql("SELECT 1 -- the end", role="worker", database="logged")
    log = server.logged("the end")
    return [each for each in PostgresReader().read(io.BytesIO(log)) if each.identity.principal == "worker"]


def uses(told: list[Exercise], outcome: Outcome = Outcome.ALLOWED) -> dict[tuple[str, str], int]:
    return {
        (each.behaviour.permission.action, each.behaviour.permission.resource): each.records
        for each in told
        if isinstance(each.behaviour, PermissionUse) and each.behaviour.outcome is outcome
    }


def test_the_tables_behind_views_and_functions_are_told_with_their_rows(told: list[Exercise]) -> None:
    done = uses(told)
    assert done["SELECT", "public.people"] == 50
    assert done["SELECT", "public.customers"] == 50
    assert ("EXECUTE", "public.look") in done
    assert ("SELECT", "public.shown") in done
    assert ("EXECUTE", "public.peek") in done
    assert ("SELECT", "public.hidden") not in done, (
        "pgaudit tells nothing of what a definer's function does: see the docs"
    )
    assert done["INSERT", "public.customers"] == 1


def test_what_was_refused_is_told_and_marked_as_weaker(told: list[Exercise]) -> None:
    assert ("SELECT", "hidden") in uses(told, Outcome.DENIED)
    refused = [each for each in told if isinstance(each.behaviour, PermissionUse)]
    assert all(each.weaker for each in refused if each.behaviour.outcome is Outcome.DENIED)


def test_logging_in_and_taking_on_a_role_are_told(told: list[Exercise]) -> None:
    taken = {each.behaviour for each in told if isinstance(each.behaviour, RoleAssumption)}
    assert RoleAssumption("worker", "worker", Means.LOGIN, Outcome.ALLOWED) in taken
    assert RoleAssumption("other", "worker", Means.SET_ROLE, Outcome.ALLOWED) in taken


def test_whoever_took_on_a_role_acts_as_it_as_long_as_it_holds(told: list[Exercise]) -> None:
    acting = {
        each.behaviour.permission.resource: each.behaviour.principal
        for each in told
        if isinstance(each.behaviour, PermissionUse)
    }
    tables = ("others", "first", "second", "third", "fourth")
    assert [acting[f"public.{table}"] for table in tables] == ["other", "other", "worker", "worker", "other"]


def test_what_is_copied_out_is_told_by_its_statement_and_marked(told: list[Exercise], server: Server) -> None:
    (copied,) = [each for each in told if "COPY" in each.weaker]
    assert isinstance(copied.behaviour, PermissionUse)
    assert (copied.behaviour.permission.action, copied.behaviour.permission.resource) == ("SELECT", "customers")
    assert copied.records == -1, "pgaudit does not tell how many"
    everybody = PostgresReader().read(io.BytesIO(server.log.read_bytes()))
    assert ("COPY PROGRAM", "the server") in uses(list(everybody))


def test_who_makes_a_table_uses_create_on_its_schema(told: list[Exercise]) -> None:
    assert ("CREATE", '"Odd.Schema"') in uses(told)


def test_refusals_of_owners_and_of_roles_are_told(told: list[Exercise]) -> None:
    assert ("ALTER TABLE", "hidden") in uses(told, Outcome.DENIED)
    taken = {each.behaviour for each in told if isinstance(each.behaviour, RoleAssumption)}
    assert RoleAssumption("postgres", "worker", Means.SET_ROLE, Outcome.DENIED) in taken


def test_the_csv_log_tells_the_same(told: list[Exercise], server: Server) -> None:
    text = server.csv_log.read_bytes()
    for data in (text, gzip.compress(text)):
        reader = PostgresReader()
        assert [each for each in reader.read(io.BytesIO(data)) if each.identity.principal == "worker"] == told
        assert reader.coverage().malformed == 0


def test_a_csv_log_that_is_cut_or_has_lost_a_quote_is_read_on(server: Server, told: list[Exercise]) -> None:
    text = server.csv_log.read_bytes()
    cut = PostgresReader()
    list(cut.read(io.BytesIO(text[:-20])))
    assert cut.coverage().malformed == 1
    stray = PostgresReader()
    whole = text.index(b"connection authorized: user=worker")
    begin = text.rindex(b"\n", 0, whole) + 1
    list(stray.read(io.BytesIO(b'2026-11-25 20:00:00.000 UTC,"' + b"x" * (1 << 20) + b"\n" + text[begin:])))
    assert stray.coverage().malformed == 1
    assert stray.coverage().events > 10


def test_who_it_was_and_from_where(told: list[Exercise]) -> None:
    who = next(each for each in told if isinstance(each.behaviour, PermissionUse)).identity
    assert who.address == "127.0.0.1"
    assert who.port > 0
    assert who.client == "psql"
    assert len({each.identity.credential for each in told}) == 11, "a session each"


def test_no_value_of_a_statement_is_kept(told: list[Exercise]) -> None:
    assert "secret" not in repr(told)


def test_coverage_says_which_levels_were_seen(server: Server, told: list[Exercise]) -> None:
    reader = PostgresReader("db:5432")
    list(reader.read(io.BytesIO(server.log.read_bytes())))
    coverage = reader.coverage()
    assert {("logged", Level.READ), ("logged", Level.WRITE)} <= coverage.seen
    assert coverage.malformed == 0


@settings(deadline=None)  # the machine may be busy
@given(st.binary(max_size=200))
def test_no_bytes_break_it(data: bytes) -> None:
    list(PostgresReader().read(io.BytesIO(data)))
    list(PostgresReader().read(io.BytesIO(b"2026-11-25 20:00:00.123 UTC," + data)))


@settings(deadline=None)  # the machine may be busy
@given(
    st.text(max_size=60),
    st.sampled_from(["AUDIT: ", "AUDIT: SESSION,1,1,READ,SELECT,TABLE,", "permission denied for "]),
)
def test_no_message_breaks_it(text: str, start: str) -> None:
    entry = {"timestamp": "2026-11-25 20:00:00.123 UTC", "user": "u", "message": start + text, "state_code": "42501"}
    list(PostgresReader().record(json.dumps(entry).encode()))


def audited(*fields: str, timestamp: str = "2026-11-25 20:00:00.123 UTC") -> list[Exercise]:
    message = f"AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.customers,{','.join(fields)}"
    entry = {"timestamp": timestamp, "user": "u", "dbname": "d", "message": message}
    return list(PostgresReader().record(json.dumps(entry).encode()))


def test_a_long_statement_does_not_hide_what_it_did() -> None:
    (exercise,) = audited(f'"select /* {"x" * 200_000} */"', "<not logged>", "3")
    assert exercise.records == 3


def test_a_time_that_cannot_be_is_not_told() -> None:
    assert audited("select", "<not logged>", timestamp="0001-01-01 00:00:00 UTC") == []
