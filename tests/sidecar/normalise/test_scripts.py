"""Which program an interpreter was given: a table per interpreter, and what holds for any command line."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inscope.behaviour import ScriptOrigin
from sidecar.normalise.interpreters import is_interpreter
from sidecar.normalise.script_ref import FirstOf, InlineCode, ScriptRef
from sidecar.normalise.scripts import script_of

FILE, MODULE, INLINE, STDIN = ScriptOrigin.FILE, ScriptOrigin.MODULE, ScriptOrigin.INLINE, ScriptOrigin.STDIN


def script(line: str, **options: object) -> ScriptRef | None:
    """The script of a command line as a shell reads it; the first word is the image."""
    words = shlex.split(line)
    return script_of(words[0], [word.encode() for word in words], **options)  # type: ignore[arg-type]  # test sugar


NAMED = {
    "/usr/bin/python3 agent.py --flag": (FILE, "agent.py"),
    "/usr/bin/python3.11 -u -X dev -W error -O agent.py": (FILE, "agent.py"),
    "/usr/bin/python3 -Wignore -Xutf8 agent.py": (FILE, "agent.py"),
    "/usr/bin/python3 -c 'print(1)' agent.py": (INLINE, "-c"),
    "/usr/bin/python3 -Ic 'print(1)'": (INLINE, "-c"),
    "/usr/bin/python3 -cprint(1)": (INLINE, "-c"),
    "/usr/bin/python3 -m http.server 80": (MODULE, "http.server"),
    "/usr/bin/python3 -Im pip install x": (MODULE, "pip"),
    "/usr/bin/python3 -mpip": (MODULE, "pip"),
    "/usr/bin/python3 -": (STDIN, "-"),
    "/usr/bin/python3": (STDIN, "-"),
    "/usr/bin/python3 -i": (STDIN, "-"),
    "/usr/bin/python3 -- -odd.py": (FILE, "-odd.py"),
    "/usr/bin/python3 --check-hash-based-pycs always app.pyz": (FILE, "app.pyz"),
    "/bin/sh script": (FILE, "script"),
    "/bin/sh -c 'echo hi' name": (INLINE, "-c"),
    "/bin/bash -lc 'echo hi'": (INLINE, "-c"),
    "/bin/bash -xec 'echo hi'": (INLINE, "-c"),
    "/bin/bash -c -x 'echo hi'": (INLINE, "-c"),
    "/bin/bash -euo pipefail -c 'echo hi'": (INLINE, "-c"),
    "/bin/bash -euo pipefail build.sh": (FILE, "build.sh"),
    "/bin/bash +x -o errexit build.sh": (FILE, "build.sh"),
    "/bin/bash -s arg": (STDIN, "-"),
    "/bin/bash": (STDIN, "-"),
    "/bin/bash -i": (STDIN, "-"),
    "/bin/sh - script": (FILE, "script"),
    "/bin/bash --norc --rcfile rc build.sh": (FILE, "build.sh"),
    "/usr/bin/node server.js": (FILE, "server.js"),
    "/usr/bin/node --max-old-space-size=100 -r ./hook.js server.js": (FILE, "server.js"),
    "/usr/bin/node -e 'x()' y": (INLINE, "-c"),
    "/usr/bin/node -pe '1'": (INLINE, "-c"),
    "/usr/bin/node --eval=x": (INLINE, "-c"),
    "/usr/bin/node -": (STDIN, "-"),
    "/usr/bin/perl -lane 'print'": (INLINE, "-c"),
    "/usr/bin/perl -i.bak -pe 's/a/b/' file": (INLINE, "-c"),
    "/usr/bin/perl -w -Ilib tool.pl": (FILE, "tool.pl"),
    "/usr/bin/ruby -rjson -e 'p 1'": (INLINE, "-c"),
    "/usr/bin/ruby tool.rb": (FILE, "tool.rb"),
    "/usr/bin/php -r 'x();'": (INLINE, "-c"),
    "/usr/bin/php -f tool.php": (FILE, "tool.php"),
    "/usr/bin/php tool.php": (FILE, "tool.php"),
    "/usr/bin/lua5.4 tool.lua": (FILE, "tool.lua"),
    "/usr/bin/lua -e 'x=1' tool.lua": (FILE, "tool.lua"),
    "/usr/bin/lua -e 'x=1'": (INLINE, "-c"),
    "/usr/bin/deno run -A main.ts": (FILE, "main.ts"),
    "/usr/bin/deno eval 'x'": (INLINE, "-c"),
    "/usr/bin/bun run main.ts": (FILE, "main.ts"),
    "/usr/bin/bun main.ts": (FILE, "main.ts"),
    "/usr/bin/java -Xmx1g -jar app.jar -x": (FILE, "app.jar"),
    "/usr/bin/java -cp a.jar:b.jar com.x.Main": (MODULE, "com.x.Main"),
    "/usr/bin/java Foo.java": (FILE, "Foo.java"),
    "/usr/bin/java @args": (MODULE, "@args"),
    "/lib64/ld-linux-x86-64.so.2 --library-path /x ./evil arg": (FILE, "./evil"),
    "/lib/ld-musl-x86_64.so.1 ./evil": (FILE, "./evil"),
    "/bin/busybox wget http://x": (MODULE, "wget"),
    "/bin/busybox sh -c 'echo'": (INLINE, "-c"),
    "/bin/busybox sh script": (FILE, "script"),
    "/usr/bin/fish -c 'echo'": (INLINE, "-c"),
}

NOTHING = [
    "/usr/bin/git status",
    "/usr/bin/env python3 agent.py",
    "/usr/bin/python3 --version",
    "/usr/bin/python3 -V",
    "/usr/bin/python-config --libs",
    "/usr/bin/node --version",
    "/bin/sh -c",
    "/usr/bin/deno lint",
    "/usr/bin/java -version",
    "/usr/bin/java",
    "/lib64/ld-linux-x86-64.so.2 --list ./prog",
    "/lib64/ld-linux-x86-64.so.2",
    "/bin/busybox",
    "/bin/busybox --list",
]


@pytest.mark.parametrize(("line", "named"), NAMED.items())
def test_the_script_is_found(line: str, named: tuple[ScriptOrigin, str]) -> None:
    found = script(line)
    assert found is not None
    assert (found.origin, found.name.decode()) == named


@pytest.mark.parametrize("line", NOTHING)
def test_programs_that_interpret_nothing(line: str) -> None:
    assert script(line) is None


def test_inline_code_is_the_identity() -> None:
    found = script("/usr/bin/python3 -c 'print(1)' x")
    assert found is not None
    assert found.sources == (InlineCode(b"print(1)"),)


def test_standard_input_has_no_identity() -> None:
    found = script("/bin/sh -s")
    assert found is not None
    assert found.sources == ()


def test_cut_inline_code_has_no_identity() -> None:
    found = script("/bin/sh -c 'echo'", truncated=True)
    assert found is not None
    assert found.sources == ()


def test_a_script_file_with_cut_arguments_keeps_its_identity() -> None:
    found = script("/bin/sh run.sh lots", truncated=True)
    assert found is not None
    assert found.sources == (FirstOf(("run.sh",)),)


def test_a_preloaded_file_is_part_of_the_identity() -> None:
    plain, hooked = script("/usr/bin/node a.js"), script("/usr/bin/node -r ./evil.js a.js")
    assert plain is not None
    assert hooked is not None
    assert hooked.sources == (FirstOf(("./evil.js",)), *plain.sources)


def test_the_loader_runs_the_program_it_is_given_and_what_that_interprets() -> None:
    found = script("/lib64/ld-linux-x86-64.so.2 /usr/bin/python3 evil.py")
    assert found is not None
    assert [source.paths[0] for source in found.sources if isinstance(source, FirstOf)] == [
        "/usr/bin/python3",
        "evil.py",
    ]


def test_the_loader_cannot_launder_standard_input() -> None:
    found = script("/lib64/ld-linux-x86-64.so.2 /bin/sh -s")
    assert found is not None
    assert found.sources == ()


def test_applets_of_one_binary_are_different_programs() -> None:
    wget = script_of("/bin/busybox", [b"/usr/bin/wget", b"x"], called="/usr/bin/wget")
    nc = script_of("/bin/busybox", [b"nc", b"x"], called="/usr/bin/nc")
    assert wget is not None
    assert nc is not None
    assert (wget.name, nc.name) == (b"wget", b"nc")
    assert wget.sources != nc.sources


def test_an_interpreter_is_recognised_by_what_it_is_and_by_how_it_was_called() -> None:
    assert script_of("/usr/bin/python3.11", [b"x", b"a.py"], called="/proc/self/exe") is not None
    assert script_of("/usr/bin/dash", [b"sh", b"a.sh"], called="/bin/sh") is not None


def test_a_module_is_looked_for_where_python_looks() -> None:
    found = script_of("/usr/bin/python3.11", [b"python", b"-m", b"a.b"], called="/venv/bin/python")
    assert found is not None
    (files,) = found.sources
    assert isinstance(files, FirstOf)
    assert files.paths[:6] == (
        "a/b/__main__.py",
        "a/b.py",
        "/usr/lib/python3.11/a/b/__main__.py",
        "/usr/lib/python3.11/a/b.py",
        "/venv/lib/python3.11/site-packages/a/b/__main__.py",
        "/venv/lib/python3.11/site-packages/a/b.py",
    )


def test_an_isolated_module_is_not_looked_for_in_the_working_directory() -> None:
    found = script_of("/usr/bin/python3.11", [b"python3", b"-Im", b"pip"])
    assert found is not None
    (files,) = found.sources
    assert isinstance(files, FirstOf)
    assert files.paths[0] == "/usr/lib/python3.11/pip/__main__.py"


@pytest.mark.parametrize("name", [b"../evil", b"/abs", b"a b", b"", b"\xff"])
def test_a_name_that_is_no_module_has_no_identity(name: bytes) -> None:
    found = script_of("/usr/bin/python3.11", [b"python3", b"-m", name])
    assert found is not None
    assert found.sources == ()


def test_multiprocessing_children_are_one_program() -> None:
    one = script("/usr/bin/python3 -c 'from multiprocessing.resource_tracker import main;main(5)'")
    other = script("/usr/bin/python3 -c 'from multiprocessing.resource_tracker import main;main(7)'")
    evil = script("/usr/bin/python3 -c 'from multiprocessing.resource_tracker import main;main(7);evil()'")
    assert one == other
    assert one != evil


def test_a_class_is_all_archives_of_its_path() -> None:
    found = script("/usr/bin/java -cp lib/a.jar:classes:b.jar com.x.Main")
    assert found is not None
    assert found.sources == (
        FirstOf(("classes/com/x/Main.class", "lib/a.jar")),
        FirstOf(("lib/a.jar",)),
        FirstOf(("b.jar",)),
    )


def test_interpreters_are_known_by_name() -> None:
    assert [
        name for name in ("/bin/sh", "/usr/bin/python3.12", "/bin/busybox", "/usr/bin/git") if is_interpreter(name)
    ] == [
        "/bin/sh",
        "/usr/bin/python3.12",
        "/bin/busybox",
    ]


WORDS = st.one_of(
    st.sampled_from(
        [
            b"-c",
            b"-m",
            b"-",
            b"--",
            b"-e",
            b"-I",
            b"-Wc",
            b"x.py",
            b"-jar",
            b"-cp",
            b"a:b.jar",
            b"--eval=",
            b"-f",
            b"-C",
            b"--e=x",
            b"-W",
            b"+o",
            b"sh",
            b"run",
        ]
    ),
    st.binary(max_size=12).filter(lambda word: b"\0" not in word),
)
IMAGES = st.sampled_from(
    [
        *("/usr/bin/python3", "/bin/sh", "/usr/bin/node", "/usr/bin/perl", "/usr/bin/java", "/usr/bin/deno"),
        *("/usr/bin/bun", "/usr/bin/php", "/usr/bin/lua", "/usr/bin/ruby", "/usr/bin/fish", "/bin/toybox"),
        *("/lib/ld-linux.so.2", "/bin/busybox", "/usr/bin/gawk", "/bin/sed", "/usr/bin/make"),
    ]
)


@given(IMAGES, st.lists(WORDS, max_size=8))
def test_no_command_line_breaks_it(image: str, argv: list[bytes]) -> None:
    found = script_of(image, argv)
    if found is not None and found.origin is STDIN:
        assert found.sources == ()


def test_nesting_is_bounded() -> None:
    argv = [b"/lib/ld.so"] * 2000 + [b"/bin/true"]
    assert script_of("/lib/ld.so", argv) is not None
