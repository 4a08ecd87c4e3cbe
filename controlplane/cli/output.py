"""How a command prints: one JSON document for programs, or a table for people. Data never controls the terminal."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

from inscope.text import printable

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

PLAIN_WIDTH = 100_000
"""Where stdout is not a terminal a row is a line, however long: it is for grep."""


def add_output_argument(parser: argparse.ArgumentParser) -> None:
    """`-o json`, which every command that reads has."""
    parser.add_argument(
        "-o",
        "--output",
        choices=("table", "json"),
        default="table",
        help="table for people (default), or json: one document on stdout, fields as in docs/cli.md",
    )


def print_json(document: Any, stream: TextIO | None = None) -> None:
    """One JSON document, indented; anything beyond ASCII is escaped, so that no byte of data reaches a terminal raw."""
    print(json.dumps(document, indent=2), file=stream or sys.stdout)


def print_json_line(document: Any, stream: TextIO | None = None) -> None:
    """One JSON object on a line of its own, at once: for streams that do not end."""
    print(json.dumps(document), file=stream or sys.stdout, flush=True)


def console(stream: TextIO | None = None) -> Console:
    """A console on stdout: as wide as the terminal, plain where it is none."""
    from rich.console import Console

    out = stream or sys.stdout
    return Console(
        file=out,
        width=None if out.isatty() else PLAIN_WIDTH,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
    )


def emit(*renderables: RenderableType, stream: TextIO | None = None) -> None:
    """Print to stdout, each on lines of its own; where that is no terminal, without the padding of a table's lines."""
    out = console(stream)
    if out.is_terminal:
        out.print(*renderables, sep="\n")
        return
    with out.capture() as captured:
        out.print(*renderables, sep="\n")
    print("\n".join(line.rstrip() for line in captured.get().splitlines()), file=stream or sys.stdout, flush=True)


def table(*columns: str, fixed: Sequence[str] = ()) -> Table:
    """A table without frame. The `fixed` columns (ids, times) are never folded, and nothing is ever cut."""
    from rich.table import Table

    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in columns:
        made.add_column(name, no_wrap=name in fixed, overflow="fold")
    return made


def cell(text: object, style: str = "") -> Text:
    """Data as a cell: control characters escaped, markup not interpreted."""
    from rich.text import Text

    return Text("\n".join(printable(line) for line in str(text).split("\n")), style=style)


def moment(seconds: float) -> str:
    """A time for people, in UTC; a dash where it has not come."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ") if seconds else "-"


def measure(value: float) -> str:
    """A gate's number, short: two decimals, and honest about what is smaller."""
    return f"{value:,.2f}".rstrip("0").rstrip(".") if value == 0 or abs(value) >= 0.01 else "< 0.01"


def number(count: int) -> str:
    """A count with separators; `any` for -1, which stands for an open-ended set."""
    return f"{count:,}" if count >= 0 else "any"
