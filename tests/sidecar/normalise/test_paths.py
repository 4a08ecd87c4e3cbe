"""The rules that generalise paths: a table of what they do and leave alone, and the laws they keep."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sidecar.normalise.paths import Generaliser, default_generaliser
from sidecar.normalise.text import text_of

GENERALISER = default_generaliser()

GENERALISED = {
    "/usr/bin/python3.11": "/usr/bin/python<version>",
    "/opt/venv/lib/python3.12/site-packages/numpy/core.py": "/opt/venv/lib/python<version>/site-packages/numpy/core.py",
    "/usr/lib/libfoo.so.1.2.3": "/usr/lib/libfoo.so.<version>",
    "/usr/lib/x86_64-linux-gnu/libc.so.6": "/usr/lib/x86_64-linux-gnu/libc.so.<version>",
    "/usr/lib/libssl-1.1.so": "/usr/lib/libssl-<version>.so",
    "/lib/requests-2.31.0.dist-info/METADATA": "/lib/requests-<version>.dist-info/METADATA",
    "/lib/torch-2.5.1+cu121.dist-info": "/lib/torch-<version>.dist-info",
    "/lib/foo-1.0.0rc1/x": "/lib/foo-<version>/x",
    "/opt/node-v20.11.1-linux-x64/bin/node": "/opt/node-v<version>-linux-x64/bin/node",
    "/lib/_ssl.cpython-311-x86_64-linux-gnu.so": "/lib/_ssl.cpython-<version>-x86_64-linux-gnu.so",
    "/lib/__pycache__/os.cpython-311.pyc": "/lib/__pycache__/os.cpython-<version>.pyc",
    "/lib/foo-cp311-abi3.whl": "/lib/foo-cp<version>-abi3.whl",
    "/tmp/tmpab12cd34/x": "/tmp/<tmp>/x",
    "/tmp/tmp8_zz_q1w.py": "/tmp/<tmp>.py",
    "/tmp/tmp.Xy12AbCdEf/f": "/tmp/<tmp>/f",
    "/tmp/pip-build-env-x8k2_3l1/overlay": "/tmp/<tmp>/overlay",
    "/tmp/pip-unpack-abcdefgh/x.whl": "/tmp/<tmp>/x.whl",
    "/tmp/cc0aZ9xY.o": "/tmp/<tmp>.o",
    "/tmp/go-build3456789/b001/exe/main": "/tmp/<tmp>/b001/exe/main",
    "/tmp/ssh-XXabCDeF12gh/agent.1234": "/tmp/<tmp>/agent.<pid>",
    "/tmp/playwright-k2j3h4": "/tmp/playwright-<tmp>",
    "/home/anna/agents/agent.py": "/home/<user>/agents/agent.py",
    "/home/anna": "/home/<user>",
    "/Users/anna/x": "/Users/<user>/x",
    "/proc/123/environ": "/proc/<pid>/environ",
    "/proc/123/task/124/mem": "/proc/<pid>/task/<pid>/mem",
    "/proc/123/fd/7": "/proc/<pid>/fd/<fd>",
    "/proc/self/fd/7": "/proc/self/fd/<fd>",
    "/run/user/1000/bus": "/run/user/<uid>/bus",
    "/dev/pts/3": "/dev/pts/<n>",
    "/var/cache/3f2a9c11d0/x": "/var/cache/<hash>/x",
    "/var/cache/app-3f2a9c11.so": "/var/cache/app-<hash>.so",
    "/m/models--a--b/snapshots/0123456789abcdef0123456789abcdef01234567/w": "/m/models--a--b/snapshots/<hash>/w",
    "/x/123e4567-e89b-12d3-a456-426614174000.json": "/x/<uuid>.json",
    "/tmp/torchinductor_root/ab/cabcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqr.so": (
        "/tmp/torchinductor_root/ab/<hash>.so"
    ),
    "/run/secrets/kubernetes.io/serviceaccount/..2024_05_01_10_00_00.1234567890/token": (
        "/run/secrets/kubernetes.io/serviceaccount/..<time>/token"
    ),
}

UNHARMED = [
    "",
    "/",
    "/root",
    "/root/.ssh/id_rsa",
    "/usr/bin/sha256sum",
    "/usr/bin/2to3",
    "/usr/lib/arm64/x86_64/i686",
    "/usr/bin/python3",
    "/usr/bin/perl5",
    "/etc/app/8080/port-6379.conf",
    "/run/redis-6379.sock",
    "/usr/bin/deadbeef",
    "/usr/share/man/man1/git.1",
    "/usr/lib/libfacade.so",
    "/tmp/agent",
    "/tmp/agent-output",
    "/tmp/report.txt",
    "/tmp/torchinductor_root",
    "/etc/tmpfiles.d/x.conf",
    "/usr/bin/gcc-12",
    "/srv/q3/data2024.csv",
    "/home",
    "/homes/anna",
    "/opt/home/anna",
    "/usr/bin/x86_64-linux-gnu-gcc",
    "/usr/bin/[",
    "/opt/app/v2/api",
]


@pytest.mark.parametrize(("path", "general"), GENERALISED.items())
def test_what_differs_from_run_to_run_becomes_a_placeholder(path: str, general: str) -> None:
    assert GENERALISER.path(path) == general


@pytest.mark.parametrize("path", UNHARMED)
def test_ordinary_names_are_left_alone(path: str) -> None:
    assert GENERALISER.path(path) == path


FRAGMENTS = st.sampled_from(
    [
        *(
            "/",
            "//",
            "/tmp/",
            "/home/",
            "/proc/",
            "/run/",
            "/run/user/",
            "/dev/fd/",
            "/fd/",
            "/task/",
            "/dev/pts/",
            "/var/tmp/",
        ),
        *(
            "tmp",
            "tmp.",
            ".so.",
            "-",
            "_",
            ".",
            "+",
            "cp",
            "-cp",
            "cpython-",
            "pip-build-env-",
            "npm-",
            "go-build",
            "ssh-",
            "cc",
        ),
        *(
            "1",
            "12",
            "3f2a9c11",
            "0123456",
            "abcdefgh",
            "ABCDEF01",
            "a1B2c3",
            "3.11",
            "rc1",
            "dev",
            "v",
            "x",
            "Z",
            "é",
            "\\x1b",
        ),
        *(
            "<",
            ">",
            "<tmp>",
            "<hash>",
            "<version>",
            "<user>",
            "123e4567-e89b-12d3-a456-426614174000",
            "2" * 32,
            "a" * 33,
        ),
    ]
)
PATHS = st.one_of(
    st.lists(FRAGMENTS, max_size=12).map("".join),
    st.text(alphabet="abcfxyzABF0123456789./-_+<>t mp", max_size=60),
    st.binary(max_size=60).map(text_of),
)


@settings(max_examples=2000)
@given(PATHS)
@example("/tmp/1.2rc12345.6")
@example("/x/1.2.3rc1.2.3")
def test_the_general_form_is_its_own(path: str) -> None:
    general = GENERALISER.path(path)
    assert GENERALISER.path(general) == general


@settings(max_examples=500)
@given(PATHS)
def test_a_cut_name_is_its_own_general_form(path: str) -> None:
    short = Generaliser(GENERALISER._rules, longest=30)
    general = short.path(path)
    assert len(general) <= 30
    assert short.path(general) == general


def test_long_names_that_differ_at_their_end_stay_different() -> None:
    one, other = (GENERALISER.path("/" + "a" * 4000 + end) for end in "xy")
    assert one != other
    assert len(one) == len(other) == 1024


@given(PATHS)
def test_the_cache_changes_nothing(path: str) -> None:
    assert Generaliser(GENERALISER._rules, cache_entries=1).path(path) == GENERALISER.path(path)


@given(PATHS)
def test_folders_stay_folders(path: str) -> None:
    assert GENERALISER.path(path).count("/") == path.count("/")


@pytest.mark.parametrize(
    "path",
    [
        "/tmp/" + "a" * 4091,
        "/tmp/" + "0" * 4091,
        "/tmp/" + "a-" * 2045,
        "/tmp/" + "1." * 2045,
        "/tmp/" + "aA0_" * 1022,
        "/tmp/" + "_a" * 2045,
        "/proc/" + "/task/1" * 580,
        "/tmp/" + "\\xff" * 4091,
        "/tmp/" + "abcdef0-" * 511,
        "/tmp/" + ".so.1" * 818,
    ],
)
def test_the_longest_hostile_path_takes_bounded_time(path: str) -> None:
    started = time.process_time()
    GENERALISER.path(path)
    assert time.process_time() - started < 0.25
