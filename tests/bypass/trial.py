"""An attack tried: what is in scope is learned from its benign run, then it runs in a mode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from inscope.behaviour import Contradiction, kind_of
from inscope.mode import Mode
from inscope.observation import Observation
from inscope.reference import Entry
from inscope.verdict import Verdict
from sidecar.judge.local import LocalReference, judge
from tests.bypass.arena import BEGUN, Arena
from tests.bypass.attack import Attack, State
from tests.bypass.watched import Launch, Run, watch


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run of an attack. `deviations` are the acts out of reference, in their order.

    It succeeded also where init ended before it could tell the agent's end.
    """

    run: Run
    succeeded: bool
    begun: bool
    deviations: tuple[Observation, ...]

    @property
    def kinds(self) -> frozenset[str]:
        """What kinds of behaviour were out of reference."""
        return frozenset(kind_of(one.behaviour) for one in self.deviations)

    @property
    def state(self) -> State:
        """How it ended."""
        if not self.succeeded:
            return State.PREVENTED
        if any(_found_out(one) for one in self.deviations):
            return State.CONTAINED
        return State.SEEN_ONLY if self.deviations else State.MISSED

    def told(self) -> str:
        """For whoever reads of a failure."""
        acts = "\n".join(f"  {one.verdict} {one.behaviour}" for one in self.deviations)
        return (
            f"succeeded: {self.succeeded}\n{acts}\nprinted: {self.run.output[-500:]}\nerrors: {self.run.errors[-500:]}"
        )


class Trials:
    """The attacks in one arena. What is learned of each is learned once.

    Args:
        launch: starts init in the arena's room.
    """

    def __init__(self, arena: Arena, launch: Launch) -> None:
        self._arena = arena
        self._launch = launch
        self._learned: dict[Path, frozenset[Entry]] = {}

    async def attacked(self, attack: Attack, mode: Mode) -> Outcome:
        """The attack runs in a mode. Raises `HungError`."""
        return await self._tried(attack, mode)

    async def benign(self, attack: Attack, mode: Mode) -> Outcome:
        """What is in scope runs in a mode. Raises `HungError`."""
        return await self._tried(attack, mode, "benign")

    async def _tried(self, attack: Attack, mode: Mode, *arguments: str) -> Outcome:
        entries = await self._in_scope(attack)
        run = await self._run(attack, LocalReference(mode, entries=entries), arguments)
        held_against = LocalReference(Mode.DETECT, entries=entries)
        deviations = tuple(one for one in run.observations if judge(one.behaviour, held_against).missing)
        succeeded = self._arena.reached(run.output) or run.status is None
        return Outcome(run, succeeded, BEGUN in run.output.split(), deviations)

    async def _in_scope(self, attack: Attack) -> frozenset[Entry]:
        if attack.path not in self._learned:
            run = await self._run(attack, LocalReference(), ["benign"])
            self._learned[attack.path] = run.entries()
        return self._learned[attack.path]

    async def _run(self, attack: Attack, reference: LocalReference, arguments: Sequence[str]) -> Run:
        arena = self._arena
        arena.reset()
        arena.attend()
        try:
            environment: Mapping[str, str] = arena.environment()
            command = arena.command(attack.path, *arguments)
            return await watch(arena.folder, command, environment, reference, self._launch)
        finally:
            arena.leave()


def _found_out(observation: Observation) -> bool:
    return isinstance(observation.behaviour, Contradiction) or observation.verdict is Verdict.KILL
