"""Who wrote what is loaded: named only where there is one writer."""

from __future__ import annotations

from sidecar.observe.writers import Writers


def test_the_writer_of_the_very_file() -> None:
    writers = Writers()
    writers.wrote(b"/cache/a.so", "python")
    assert writers.writer_of(b"/cache/a.so", changed_while_watched=False) == "python"


def test_nobody_wrote_it() -> None:
    assert Writers().writer_of(b"/cache/a.so", changed_while_watched=True) == ""


def test_a_renamed_file_is_its_folders_writers() -> None:
    writers = Writers()
    writers.wrote(b"/cache/a.so.tmp", "python")
    assert writers.writer_of(b"/cache/a.so", changed_while_watched=True) == "python"
    assert writers.writer_of(b"/cache/sub/a.so", changed_while_watched=True) == ""


def test_a_file_from_before_the_watching_has_no_writer() -> None:
    writers = Writers()
    writers.wrote(b"/cache/a.so.tmp", "python")
    assert writers.writer_of(b"/cache/old.so", changed_while_watched=False) == ""


def test_two_writers_are_none() -> None:
    writers = Writers()
    writers.wrote(b"/cache/a.so", "python")
    writers.wrote(b"/cache/a.so", "/tmp/evil")
    writers.wrote(b"/cache/b.so", "python")
    assert writers.writer_of(b"/cache/a.so", changed_while_watched=True) == ""
    assert writers.writer_of(b"/cache/c.so", changed_while_watched=True) == ""
    assert writers.writer_of(b"/cache/b.so", changed_while_watched=True) == "python"


def test_it_does_not_become_one_again_by_writing_last() -> None:
    writers = Writers()
    for label in ("python", "/tmp/evil", "python"):
        writers.wrote(b"/cache/a.so", label)
    assert writers.writer_of(b"/cache/a.so", changed_while_watched=True) == ""


def test_the_oldest_is_forgotten() -> None:
    writers = Writers(capacity=2)
    for name in (b"/1/a", b"/2/a", b"/3/a"):
        writers.wrote(name, "python")
    assert writers.writer_of(b"/1/a", changed_while_watched=True) == ""
    assert writers.writer_of(b"/3/a", changed_while_watched=True) == "python"
