"""From what a real database grants and logs to an alert that names what foresaw it, by the command line."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.installation import Installation
from tests.postgresql.server import Server

AGENT = "db-5432/DatabaseRole/agent"
SCOPE = ("--scope", "db:5432")


def test_a_table_never_read_is_found_and_its_reading_foreseen(
    server: Server, installed: Installation, tmp_path: Path
) -> None:
    server.sql("CREATE DATABASE gap")
    server.sql(
        "CREATE ROLE agent LOGIN; CREATE TABLE orders (id int); CREATE TABLE customers (id int, email text);"
        "GRANT SELECT ON orders, customers TO agent",
        database="gap",
    )
    server.sql("SELECT * FROM orders -- daily", role="agent", database="gap")
    log = tmp_path / "server.json"
    log.write_bytes(server.logged("daily"))
    query = installed.inscope("import", "postgresql", "--query").stdout
    grants = tmp_path / "grants.jsonl"
    grants.write_text(server.sql(query, database="gap"))
    (declared,) = installed.ask("import", "postgresql", str(grants), *SCOPE)
    assert declared["faults"] == []
    (replayed,) = installed.ask("replay", "postgresql", str(log), *SCOPE)
    assert AGENT in replayed["workloads"]

    (gap,) = installed.ask("gap", AGENT)
    read = next(held for held in gap["held"] if held["level"] == "read" and held["path"] == ["grants to agent"])
    assert (read["size"], read["used"], read["latent"]) == (2, ["SELECT on public.orders in database gap"], 1)
    assert "reaches customer PII (public.customers: email)" in read["weight"]

    installed.ask("mode", AGENT, "detect", "--force")
    server.sql("SELECT * FROM customers -- theft", role="agent", database="gap")
    log.write_bytes(server.logged("theft"))
    installed.ask("replay", "postgresql", str(log), *SCOPE)
    alerts = [each for each in installed.ask("alerts", AGENT) if each["behaviour"]["kind"] == "permission-use"]
    (alert,) = alerts
    assert "exercised `SELECT on public.customers in database gap` as db:5432/agent" in alert["sentence"]
    assert read["finding"] in {crossing["finding"] for crossing in alert["crossed"]}
    assert "reaches customer PII" in alert["sentence"]

    script = installed.inscope("gap", AGENT, "--emit", "sql").stdout
    server.sql(script, database="gap")
    assert server.sql("SELECT count(*) FROM orders", role="agent", database="gap").strip() == "0"
    assert server.sql("SELECT count(*) FROM customers", role="agent", database="gap", check=False) == ""
