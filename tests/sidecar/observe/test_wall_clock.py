"""Boot time to wall time, with clocks that jump and peers that lie."""

from __future__ import annotations

from sidecar.observe.wall_clock import SECOND_NS, Clocks, WallClock


def seconds(wall: float, boot: float) -> Clocks:
    return Clocks(int(wall * SECOND_NS), int(boot * SECOND_NS))


def test_hello_gives_the_offset() -> None:
    clock = WallClock(1000 * SECOND_NS, 10 * SECOND_NS, seconds(1000, 10))
    clock.resync(seconds(1005, 15))
    assert clock.seconds(12 * SECOND_NS) == 1002


def test_another_boot_time_is_no_matter() -> None:
    clock = WallClock(1000 * SECOND_NS, 10 * SECOND_NS, seconds(1000, 77))
    clock.resync(seconds(1005, 82))
    assert clock.seconds(12 * SECOND_NS) == 1002


def test_a_jump_of_the_wall_clock_moves_what_comes_after() -> None:
    clock = WallClock(1000 * SECOND_NS, 10 * SECOND_NS, seconds(1000, 10))
    clock.resync(seconds(5000, 20))
    assert clock.seconds(19 * SECOND_NS) == 4999
    clock.resync(seconds(500, 30))
    assert clock.seconds(29 * SECOND_NS) == 499


def test_nothing_happens_in_the_future() -> None:
    clock = WallClock(1000 * SECOND_NS, 10 * SECOND_NS, seconds(1000, 10))
    clock.resync(seconds(1001, 11))
    assert clock.seconds((1 << 64) - 1) == 1001
