"""A batch becomes what is known: covered, learned or judged, surveyed, described. The caller holds the transaction."""

from __future__ import annotations

from dataclasses import dataclass, replace

from controlplane.detect.alert import Scene
from controlplane.detect.denials import note
from controlplane.detect.judge import Judged, judge
from controlplane.loop.batch import Outcome, ReceivedBatch
from controlplane.loop.memory import Memory
from controlplane.loop.remembered import Remembered
from controlplane.loop.settings import LoopSettings
from controlplane.posture.learn import Learned, Lesson, learn
from controlplane.posture.window import Window
from controlplane.store.port import InstanceRow
from inscope.capability import CAPABILITY_RULES, Capability
from inscope.coverage import SourceCoverage
from inscope.mode import Mode
from inscope.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Intake:
    """Where batches go in."""

    memory: Memory
    settings: LoopSettings

    def take(self, state: Remembered, row: InstanceRow, batch: ReceivedBatch, now: float) -> Outcome:
        """Everything a batch does.

        Its acts are judged by what stood before it, except that its coverage counts at once: what a source delivers
        proves that the source is there.
        """
        window = self._window(state, now)
        covered = replace(
            row,
            last_seen=max(row.last_seen, now),
            epoch=batch.epoch,
            sequence=batch.sequence,
            coverage=_covered(row.coverage, batch.coverage),
        )
        state.record(covered)
        self.memory.look(state, now)
        learned, judged = self._learn(state, row, batch, window), self._judge(state, batch, window)
        dropped = (
            learned.dropped
            + judged.dropped
            + self._note(state, batch, window)
            + self._survey(state, batch, window)
            + self._describe(state, batch)
        )
        self.memory.put_live(state, replace(covered, rejected=row.rejected + dropped))
        state.row = replace(state.row, last_seen=max(state.row.last_seen, now))
        self.memory.store.put_workload(state.row)
        if learned.added or batch.capabilities:
            self.memory.refresh(state, now)
        changed = frozenset({state.row.workload}) if learned.added else frozenset()
        return Outcome(batch.sequence, tuple(judged.alerts.values()), changed)

    def _window(self, state: Remembered, now: float) -> Window:
        earliest = state.row.first_seen - self.settings.spool_seconds
        return Window(earliest, max(now, earliest))

    def _learn(self, state: Remembered, row: InstanceRow, batch: ReceivedBatch, window: Window) -> Learned:
        room = self.settings.max_entries - len(state.entries)
        lesson = Lesson(row.id, row.first_seen, window, room, state.learning_kinds)
        done = [each for each in batch.sightings if each.observation.verdict is Verdict.ALLOW]
        learned = learn(state.entries, done, lesson, self.memory.techniques.suspicion)
        self.memory.put_entries(state, learned.evidence, learned.grown)
        return learned

    def _judge(self, state: Remembered, batch: ReceivedBatch, window: Window) -> Judged:
        if state.row.mode is Mode.OBSERVE:
            return Judged()
        learning, techniques = state.learning(window.now), self.memory.techniques
        judged = state.judged_kinds
        scene = Scene(state.row.workload, state.versions, state.watch, learning, techniques, window, judged)
        room = self.settings.max_alerts - len(state.alerts)
        found = judge(batch.sightings, state.scope, state.alerts, scene, self.memory.next_alert, room)
        self.memory.put_alerts(state, found.alerts)
        return found

    def _note(self, state: Remembered, batch: ReceivedBatch, window: Window) -> int:
        """Keep what enforce denies, or would, whatever the mode; how many acts had no room."""
        if len(state.denials) >= self.settings.max_denials:
            self._forget_denials(state, window.now)
        room = self.settings.max_denials - len(state.denials)
        noted = note(batch.sightings, state.scope, state.denials, window, room)
        if noted.changed:
            self.memory.store.put_denials(state.row.workload, noted.changed.values())
            state.denials.update(noted.changed)
        return noted.dropped

    def _forget_denials(self, state: Remembered, now: float) -> None:
        oldest = now - self.settings.denial_seconds
        if self.memory.store.drop_denials(state.row.workload, oldest):
            kept = {act: denial for act, denial in state.denials.items() if denial.last_seen >= oldest}
            state.denials = kept

    def _survey(self, state: Remembered, batch: ReceivedBatch, window: Window) -> int:
        """Keep the newest survey of each kind; how many were of no kind that is surveyed."""
        surveyed = [capability for capability in batch.capabilities if capability.kind in CAPABILITY_RULES]
        for capability in surveyed:
            self._keep(state, replace(capability, surveyed_at=window.clamp(capability.surveyed_at)))
        return len(batch.capabilities) - len(surveyed)

    def _keep(self, state: Remembered, capability: Capability) -> None:
        before = state.capabilities.get(capability.kind)
        if before is None or before.surveyed_at <= capability.surveyed_at:
            self.memory.store.put_capability(state.row.workload, capability)
            state.capabilities[capability.kind] = capability

    def _describe(self, state: Remembered, batch: ReceivedBatch) -> int:
        """Keep what describes hashes; how many had no room."""
        kept = batch.binaries[: max(self.settings.max_binaries - state.described, 0)]
        state.described += len(kept)
        self.memory.store.put_binaries(kept)
        return len(batch.binaries) - len(kept)


def _covered(before: tuple[SourceCoverage, ...], after: tuple[SourceCoverage, ...]) -> tuple[SourceCoverage, ...]:
    """`after` tells the whole of each source it names."""
    return tuple({each.source: each for each in (*before, *after)}.values())
