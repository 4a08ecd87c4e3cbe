"""A running server is asked by a role that may read nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controlplane.sources.postgresql import CATALOG, read_declaration
from controlplane.sources.postgresql.live import NoServerError, read_server
from tests.postgresql.server import Server

READER = """
    CREATE ROLE inscope_reader LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE CONNECTION LIMIT 2;
    ALTER ROLE inscope_reader SET default_transaction_read_only = on;
    ALTER ROLE inscope_reader SET statement_timeout = '60s';
"""


def test_what_it_answers_is_what_the_script_prints_of_every_database(server: Server) -> None:
    server.sql(READER)
    for database in ("live", "li\"ve; '2"):
        server.sql('CREATE DATABASE "' + database.replace('"', '""') + '"')
    server.sql("CREATE DATABASE closed; REVOKE CONNECT ON DATABASE closed FROM PUBLIC")
    server.sql("CREATE TABLE secrets (password text)", database="live")
    conninfo = f"host=127.0.0.1 port={server.port} user=inscope_reader dbname=postgres"
    declaration = read_server(conninfo, "db:5432", 1.0)
    names = [name for name in server.sql("SELECT datname FROM pg_database WHERE NOT datistemplate").split("\n") if name]
    asked = sorted(name for name in names if name != "closed" and "shop" not in name)
    printed = read_declaration([(name, server.sql(CATALOG, database=name).encode()) for name in asked], "db:5432", 1.0)
    mine = [grant for grant in declaration.grants if grant.service in asked]
    assert set(mine) == set(printed.grants)
    assert replace(declaration, grants=()) == replace(printed, grants=())
    assert not [grant for grant in declaration.grants if grant.service == "closed"]


def test_who_cannot_be_asked_is_said_without_the_password() -> None:
    with pytest.raises(NoServerError) as refused:
        read_server("host=127.0.0.1 port=1 user=x password=hunter2 connect_timeout=2", "", 1.0)
    assert "hunter2" not in str(refused.value)
    with pytest.raises(NoServerError, match="no connection string"):
        read_server("hunter2", "", 1.0)
