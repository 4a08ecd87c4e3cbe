"""What pgaudit writes of real sessions: the tables that really were touched, how many rows, and what was refused."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.sources.postgresql.reader import PostgresReader
from inscope.behaviour import Means, Outcome, PermissionUse, RoleAssumption
from inscope.exercise import Exercise
from inscope.permission import Level
from tests.postgresql.server import Server


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
        GRANT SELECT, INSERT ON customers TO worker; GRANT SELECT ON people TO worker;
    """
    server.sql(setup, database="logged")
    server.sql("SELECT * FROM people", role="worker", database="logged")
    server.sql("SELECT look(), peek()", role="worker", database="logged")
    server.sql("INSERT INTO customers SELECT 51, 'a secret \"quoted\", with commas'", role="worker", database="logged")
    server.sql("SELECT * FROM hidden", role="worker", database="logged", check=False)
    server.sql("SET ROLE other; SELECT 1", role="worker", database="logged")
    log = server.logged("SET ROLE other")
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
    assert all(each.weaker for each in told if getattr(each.behaviour, "outcome", None) is Outcome.DENIED)


def test_logging_in_and_taking_on_a_role_are_told(told: list[Exercise]) -> None:
    taken = {each.behaviour for each in told if isinstance(each.behaviour, RoleAssumption)}
    assert RoleAssumption("worker", "worker", Means.LOGIN, Outcome.ALLOWED) in taken
    assert RoleAssumption("other", "worker", Means.SET_ROLE, Outcome.ALLOWED) in taken


def test_who_it_was_and_from_where(told: list[Exercise]) -> None:
    who = told[-1].identity
    assert who.address == "127.0.0.1"
    assert who.port > 0
    assert who.client == "psql"
    assert len({each.identity.credential for each in told}) == 5, "a session each"


def test_no_value_of_a_statement_is_kept(told: list[Exercise]) -> None:
    assert "secret" not in repr(told)


def test_coverage_says_which_levels_were_seen(server: Server, told: list[Exercise]) -> None:
    reader = PostgresReader("db:5432")
    list(reader.read(io.BytesIO(server.log.read_bytes())))
    coverage = reader.coverage()
    assert {("logged", Level.READ), ("logged", Level.WRITE)} <= coverage.seen
    assert coverage.malformed == 0


@given(st.binary(max_size=200))
def test_no_bytes_break_it(data: bytes) -> None:
    list(PostgresReader().read(io.BytesIO(data)))


@given(
    st.text(max_size=60),
    st.sampled_from(["AUDIT: ", "AUDIT: SESSION,1,1,READ,SELECT,TABLE,", "permission denied for "]),
)
def test_no_message_breaks_it(text: str, start: str) -> None:
    entry = {"timestamp": "2026-11-25 20:00:00.123 UTC", "user": "u", "message": start + text, "state_code": "42501"}
    list(PostgresReader().record(json.dumps(entry).encode()))
