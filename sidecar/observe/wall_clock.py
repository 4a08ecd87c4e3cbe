"""Boot time to wall time, for a wall clock that jumps and a peer that may lie about when things happened."""

from __future__ import annotations

from dataclasses import dataclass

SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Clocks:
    """CLOCK_REALTIME and CLOCK_BOOTTIME of the sidecar, read together, in nanoseconds."""

    wall_ns: int
    boot_ns: int


class WallClock:
    """Turns init's CLOCK_BOOTTIME into seconds since the epoch.

    HELLO gives the offset of init's wall clock. When ours jumps against our own boot time, init's has jumped as much:
    the machine is the same, even where the boot time is not (a time namespace).
    """

    def __init__(self, realtime_ns: int, time_ns: int, ours: Clocks) -> None:
        """Init's wall clock and boot time at HELLO, and our clocks when it arrived."""
        self._hello_offset_ns = realtime_ns - time_ns
        self._our_offset_ns = ours.wall_ns - ours.boot_ns
        self._offset_ns = self._hello_offset_ns
        self._now_ns = ours.wall_ns

    def resync(self, ours: Clocks) -> None:
        """Take our clocks again: once per packet."""
        self._offset_ns = self._hello_offset_ns + ours.wall_ns - ours.boot_ns - self._our_offset_ns
        self._now_ns = ours.wall_ns

    def seconds(self, time_ns: int) -> float:
        """When something happened at boot time `time_ns`: never later than now."""
        return min(time_ns + self._offset_ns, self._now_ns) / SECOND_NS
