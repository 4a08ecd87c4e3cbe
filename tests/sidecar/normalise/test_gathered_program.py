"""awk, sed and make: every option that adds to the program is in its identity, however it is written."""

from __future__ import annotations

import shlex

import pytest

from inscope.behaviour import ScriptOrigin
from sidecar.normalise.interpreters import is_interpreter
from sidecar.normalise.script_ref import FirstOf, InlineCode, ScriptRef
from sidecar.normalise.scripts import script_of

FILE, INLINE, STDIN = ScriptOrigin.FILE, ScriptOrigin.INLINE, ScriptOrigin.STDIN
MAKEFILES = ("GNUmakefile", "makefile", "Makefile")


def script(line: str, *, truncated: bool = False) -> ScriptRef | None:
    words = shlex.split(line)
    return script_of(words[0], [word.encode() for word in words], truncated=truncated)


def told(line: str) -> tuple[ScriptOrigin, str, list[object]]:
    """Origin, name, and the sources: text of code, names of files."""
    found = script(line)
    assert found is not None
    sources = [one.code.decode() if isinstance(one, InlineCode) else one.paths for one in found.sources]
    return found.origin, found.name.decode(), sources


PROGRAMS = {
    "/usr/bin/mawk '{ print $1 }' data": (INLINE, "-c", ["{ print $1 }"]),
    "/usr/bin/awk -F: -v x=1 -f prog.awk data": (FILE, "prog.awk", [("prog.awk",)]),
    "/usr/bin/awk -f a.awk -v x=1 -fb.awk data": (FILE, "a.awk", [("a.awk",), ("b.awk",)]),
    "/usr/bin/gawk -e 'A' --source=B --file c.awk": (FILE, "c.awk", [("c.awk",), "A", "B"]),
    "/usr/bin/gawk --sour 'A'": (INLINE, "-c", ["A"]),
    "/usr/bin/awk '{ x }' -f data": (INLINE, "-c", ["{ x }"]),
    "/usr/bin/gawk -i ./lib.awk '{ x }'": (INLINE, "-c", [("./lib.awk",), "{ x }"]),
    "/usr/bin/gawk -W source=A B": (INLINE, "-c", []),
    "/usr/bin/awk -f - data": (STDIN, "-", []),
    "/bin/sed s/a/b/ file": (INLINE, "-c", ["s/a/b/"]),
    "/bin/sed s/a/b/ -i file": (INLINE, "-c", ["s/a/b/"]),
    "/bin/sed -i.bak -ne 's/x/y/' --expression '2e id' file": (INLINE, "-c", ["s/x/y/", "2e id"]),
    "/bin/sed -f edit.sed file": (FILE, "edit.sed", [("edit.sed",)]),
    "/bin/sed --fil=edit.sed file": (FILE, "edit.sed", [("edit.sed",)]),
    "/bin/sed file -e '1e id'": (INLINE, "-c", ["1e id", "file"]),
    "/bin/sed -e p file -n": (INLINE, "-c", ["p"]),
    "/bin/sed -- p file -e x": (INLINE, "-c", ["p"]),
    "/usr/bin/make": (FILE, "Makefile", [MAKEFILES]),
    "/usr/bin/make -j 4 all": (FILE, "Makefile", [MAKEFILES]),
    "/usr/bin/make -C src -C sub": (FILE, "src/sub/Makefile", [tuple(f"src/sub/{name}" for name in MAKEFILES)]),
    "/usr/bin/make all -f build.mk -C src": (FILE, "src/build.mk", [("src/build.mk",)]),
    "/usr/bin/make --makef=build.mk SHELL=./evil": (FILE, "build.mk", [("build.mk",), "SHELL=./evil"]),
    "/usr/bin/make --eval '$(shell id)' all": (FILE, "Makefile", [MAKEFILES, "$(shell id)"]),
    "/usr/bin/make -f-": (STDIN, "-", []),
    "/bin/busybox awk '{ x }'": (INLINE, "-c", ["awk", "{ x }"]),
}


@pytest.mark.parametrize(("line", "program"), PROGRAMS.items())
def test_every_part_is_in_the_identity(line: str, program: tuple[ScriptOrigin, str, list[object]]) -> None:
    assert told(line) == program


@pytest.mark.parametrize(
    "line", ["/usr/bin/awk", "/usr/bin/gawk --vers", "/bin/sed --help", "/bin/sed", "/usr/bin/make -v"]
)
def test_without_a_program_nothing_runs(line: str) -> None:
    assert script(line) is None


def test_printing_other_lines_is_the_same_program() -> None:
    assert script("/bin/sed -n 10,20p a") == script("/bin/sed -n 300,444p a")
    assert script("/bin/sed -n '10,$p;20q' a") != script("/bin/sed -n '1e id' a")


@pytest.mark.parametrize("line", ["/usr/bin/make -f build.mk", "/bin/sed -f x", "/lib/ld.so /usr/bin/make -f build.mk"])
def test_cut_arguments_leave_no_identity_for_any_may_be_code(line: str) -> None:
    found = script(line, truncated=True)
    assert found is not None
    assert found.sources == ()


def test_a_first_line_may_name_awk() -> None:
    found = script_of("/usr/bin/awk", [b"/usr/bin/awk", b"-f", b"./tool", b"arg"])
    assert found is not None
    assert found.sources == (FirstOf(("./tool",)),)


def test_they_are_interpreters() -> None:
    assert [is_interpreter(f"/usr/bin/{name}") for name in ("mawk", "gawk-5.2.1", "sed", "gmake", "used")] == [
        *(True, True, True, True),
        False,
    ]
