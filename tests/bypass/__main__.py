"""What the attacks say of this version: `--table` prints it, `--write` puts it into the docs, `--measure` tries them.

python -m tests.bypass --table
python -m tests.bypass --write
python -m tests.bypass --measure [--room ROOM] [--times N] [NAME...]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from pathlib import Path

from inscope.mode import Mode
from tests.bypass.arena import Arena
from tests.bypass.attack import Attack, Room, all_attacks
from tests.bypass.compiled import Compiled
from tests.bypass.rooms import launcher, unavailable
from tests.bypass.table import THREAT_MODEL, table, with_table
from tests.bypass.trial import Trials
from tests.bypass.watched import HungError


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.bypass", description="Attacks on the observer.")
    parser.add_argument("--table", action="store_true", help="print the table of docs/threat-model.md")
    parser.add_argument("--write", action="store_true", help="put it there")
    parser.add_argument("--measure", action="store_true", help="try the attacks and print how they really end")
    parser.add_argument("--room", type=Room, default=Room.USER, help=f"where: {', '.join(Room)}")
    parser.add_argument("--times", type=int, default=1, help="how often each is tried in enforce")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only attacks whose name contains one of these")
    asked = parser.parse_args()
    if asked.table:
        print(table(all_attacks()))
    if asked.write:
        THREAT_MODEL.write_text(with_table(THREAT_MODEL.read_text(), table(all_attacks())))
    if asked.measure:
        return asyncio.run(_measure(asked.room, asked.times, asked.names))
    return 0


async def _measure(room: Room, times: int, names: list[str]) -> int:
    if unavailable(room):
        print(unavailable(room), file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="bypass-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        (folder / "arena").mkdir()
        (folder / "arena").chmod(0o777)
        compiled = Compiled(folder)
        arena = Arena(folder / "arena", room, compiled)
        trials = Trials(arena, launcher(room, arena.folder, compiled))
        for attack in all_attacks():
            if not names or any(name in attack.name for name in names):
                print(await _measured(trials, attack, room, times), flush=True)
        arena.close()
    return 0


async def _measured(trials: Trials, attack: Attack, room: Room, times: int) -> str:
    try:
        honest = await trials.benign(attack, Mode.ENFORCE)
        observed = await trials.attacked(attack, Mode.OBSERVE)
        enforced = [await trials.attacked(attack, Mode.ENFORCE) for _ in range(times)]
    except HungError as error:
        return f"{attack.name}: HUNG {error}"
    states = Counter(one.state for one in enforced)
    unbegun = sum(not one.begun for one in enforced)
    ends = " ".join(f"{state} {count}" for state, count in states.items())
    works = room in attack.works
    other = works and (not observed.succeeded or set(states) != {attack.enforce[room]} or unbegun)
    other = other or bool(honest.deviations) != bool(attack.refused)
    other = other or (works and attack.seen not in (observed.kinds or {""}))
    wrong = [one.behaviour for one in honest.deviations]
    return (
        f"{'!! ' if other else ''}{attack.name}: works {observed.succeeded} ({works}), seen {sorted(observed.kinds)} "
        f"({attack.seen}), enforce {ends} ({attack.enforce[room]})"
        + (f", HONEST REFUSED {wrong}" if wrong else "")
        + (f", NOT BEGUN {unbegun}" if unbegun else "")
        + (f", lost {observed.run.lost}" if observed.run.lost else "")
        + f" {observed.run.seconds:.2f}s/{enforced[0].run.seconds:.2f}s {observed.run.errors[:200]!r}"
    )


if __name__ == "__main__":
    sys.exit(main())
