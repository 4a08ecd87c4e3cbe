"""The command line's grammar: help, usage errors, where a control plane is, and since when."""

from __future__ import annotations

import subprocess
import sys
from argparse import Namespace
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.cli.__main__ import COMMANDS, main
from controlplane.cli.commands.run import workload_for
from controlplane.cli.exit_codes import CommandError, ExitCode
from controlplane.cli.place import default_state, place_of
from controlplane.cli.since import since_seconds

NAMES = [command.__name__.rpartition(".")[2].rstrip("_").replace("_", "-") for command in COMMANDS]


@pytest.mark.parametrize("name", NAMES)
def test_each_help_has_an_example_and_the_exit_codes(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    out = capsys.readouterr().out
    assert ended.value.code == 0
    assert f"example:\n  inscope {name}" in out
    assert "exit codes:\n" in out


def test_help_loads_neither_grpc_nor_rich() -> None:
    script = "import sys; from controlplane.cli.__main__ import build_parser; build_parser().format_help(); "
    script += "print([name for name in ('grpc', 'google.protobuf', 'rich', 'asyncio') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["nonsense"],
        ["show"],
        ["show", "a/b"],
        ["mode", "x", "strict"],
        ["alerts", "--sinc", "1h"],
        ["approve", "A"],
    ],
    ids=" ".join,
)
def test_a_usage_error_ends_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage: inscope" in capsys.readouterr().err


@pytest.mark.parametrize(
    "address", ["nohost", "host:", ":7443", "host:0", "host:65536", "a:b:1", "[::1:7443", "host:7 "]
)
def test_an_address_is_host_and_port(address: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError) as refused:
        place_of(Namespace(state=str(tmp_path), control_plane=address, credentials=None), {})
    assert refused.value.code is ExitCode.USAGE


def test_the_host_of_an_address_loses_its_brackets(tmp_path: Path) -> None:
    for text, host in (("cp.example:7443", "cp.example"), ("[::1]:7443", "::1")):
        address = place_of(Namespace(state=str(tmp_path), control_plane=text, credentials=None), {}).address
        assert address is not None
        assert (address.host, str(address)) == (host, text)


def test_the_state_folder_is_named_by_option_then_environment_then_home(tmp_path: Path) -> None:
    arguments = Namespace(state="here", control_plane="", credentials=None)
    assert place_of(arguments, {}).state == Path.cwd() / "here"
    assert default_state({"INSCOPE_STATE": "/a", "XDG_STATE_HOME": "/b"}) == Path("/a")
    assert default_state({"XDG_STATE_HOME": "/b"}) == Path("/b/inscope")
    assert default_state({"XDG_STATE_HOME": "relative"}) == Path.home() / ".local/state/inscope"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 910),
        ("15m", 100),
        ("2w", 0),
        ("1970-01-01T00:10:00Z", 600),
        ("1970-01-01T01:10:00+01:00", 600),
        ("1970-01-01T00:10:00", 600),
    ],
)
def test_since_is_an_age_or_a_time(text: str, seconds: float) -> None:
    assert since_seconds(text, now=1000.0) == seconds


@given(st.text(max_size=30))
def test_since_takes_a_time_or_refuses(text: str) -> None:
    with suppress(CommandError):
        assert isinstance(since_seconds(text, now=1e9), float)


@pytest.mark.parametrize(
    ("name", "command", "workload"),
    [
        (None, "/usr/bin/python3", "local/Process/python3"),
        (None, "./my agent.sh", "local/Process/my-agent.sh"),
        ("billing", "python3", "local/Process/billing"),
    ],
)
def test_a_run_belongs_to_its_name_or_its_commands(name: str | None, command: str, workload: str) -> None:
    assert str(workload_for(name, command)) == workload


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "it is empty"),
        ("n" * 5_000, "'nnnnnnnnnnnnnnnnnnnn'… has 5,000 characters, at most 253"),
        ("-x", "'-x' is not of letters, digits"),
    ],
)
def test_a_name_that_is_none_is_refused_with_the_reason(
    name: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", f"--name={name}", "--", "true"]) == 125
    assert f"--name: not a name of a workload: {said}" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main(["show", "--", name])
    told = capsys.readouterr().err
    assert (ended.value.code, said in told, len(told) < 1_000) == (2, True, True)


@pytest.mark.parametrize(("name", "command"), [("a/b", "x"), ("", "x"), (None, "["), (None, "/")])
def test_what_makes_no_name_is_refused(name: str | None, command: str) -> None:
    with pytest.raises(CommandError):
        workload_for(name, command)


@pytest.mark.parametrize(
    "words", [["run"], ["run", "--"], ["run", "--mode", "x", "--", "ls"], ["run", "--no", "--", "ls"]]
)
def test_run_never_ends_with_a_code_of_the_commands_own(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status = main(words)
    except SystemExit as ended:
        status = int(ended.code or 0)
    assert status == 125
    assert capsys.readouterr().err
