"""What replaying a PostgreSQL log costs: entries per second of one core, from the file's bytes to exercises.

    python -m bench.postgresql [--events 150000] [--rounds 5]

The entries are what pgaudit 1.7 writes of a SELECT through a view, each of a session and a line of its own.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from bench.measure import Figure
from controlplane.sources.postgresql.reader import PostgresReader

WANTED = 20_000
_STATEMENT = "SELECT id, email, total FROM people JOIN orders USING (id) WHERE region = 'north' ORDER BY total LIMIT 50"


def entries(count: int) -> Iterator[dict[str, Any]]:
    """As the server names their fields."""
    for number in range(count):
        table = ("public.people", "public.customers", "public.orders")[number % 3]
        yield {
            "timestamp": f"2026-11-25 {number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}.123 UTC",
            "user": "agent", "dbname": "shop", "pid": 2361, "remote_host": "10.1.2.3",
            "remote_port": 40_000 + number % 9_000,
            "session_id": f"6b0746ea.{number // 20:x}", "line_num": number % 20 + 3, "ps": "SELECT",
            "session_start": "2026-11-25 20:36:58 UTC", "vxid": "3/57", "txid": 0, "error_severity": "LOG",
            "message": f'AUDIT: SESSION,{number % 20},1,READ,SELECT,TABLE,{table},"{_STATEMENT}",<not logged>,50',
            "application_name": "agent", "backend_type": "client backend", "query_id": 0,
        }  # fmt: skip


def jsonlog(count: int) -> bytes:
    """`log_destination = jsonlog`."""
    return b"".join(json.dumps(each, separators=(",", ":")).encode() + b"\n" for each in entries(count))


def packed(count: int) -> bytes:
    """The same, gzip."""
    return gzip.compress(jsonlog(count), 6)


def csvlog(count: int) -> bytes:
    """`log_destination = csvlog`."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for each in entries(count):
        peer = f"{each['remote_host']}:{each['remote_port']}"
        rows.writerow(
            [
                each["timestamp"], each["user"], each["dbname"], each["pid"], peer, each["session_id"],
                each["line_num"], each["ps"], each["session_start"], each["vxid"], each["txid"], "LOG", "00000",
                each["message"], *[""] * 8, each["application_name"], each["backend_type"], "", 0,
            ]
        )  # fmt: skip
    return text.getvalue().encode()


FORMS: tuple[Callable[[int], bytes], ...] = (jsonlog, packed, csvlog)


def replayed(text: bytes, count: int) -> float:
    """Entries per second of CPU time."""
    reader = PostgresReader("bench")
    begin = time.process_time()
    told = sum(1 for _ in reader.read(io.BytesIO(text)))
    taken = time.process_time() - begin
    if told != count or reader.coverage().malformed:
        raise SystemExit(f"{told:,} of {count:,} entries were told, {reader.coverage().malformed:,} malformed")
    return count / taken


def main() -> None:
    """Print a line for each form."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=150_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    texts = {form.__name__: form(options.events) for form in FORMS}
    taken: dict[str, list[float]] = {name: [] for name in texts}
    for _ in range(options.rounds):
        for name, text in texts.items():
            taken[name].append(replayed(text, options.events))
    print(f"{options.events:,} entries, {options.rounds} rounds")
    for name in texts:
        print(f"  {name:<10} {Figure.of(taken[name]):10,.0f} entries/s   wanted >= {WANTED:,}")


if __name__ == "__main__":
    main()
