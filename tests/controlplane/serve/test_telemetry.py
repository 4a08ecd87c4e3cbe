"""What the servers tell of the path from observation to alert: a real collector at the end of it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from controlplane.telemetry import path as trace
from controlplane.telemetry.endpoint import open_telemetry
from inscope.alert import Alert
from inscope.coverage import LossCause
from inscope.reference import ReferenceVersion
from inscope.v1 import operator_pb2, words_pb2
from inscope.workload import Workload
from tests.controlplane.serve.plane import Stream, serving
from tests.controlplane.serve.wire import CONTACT, NOW, batch, definition
from tests.controlplane.telemetry.collector import collecting

WORKLOAD = words_pb2.Workload(namespace="local", kind="Process", name="support-agent")
DETECT = operator_pb2.SetModeRequest(workload=WORKLOAD, mode=words_pb2.MODE_DETECT, force=True)


@dataclass
class Recorder:
    """Telemetry that remembers."""

    acts: int = 0
    latencies: list[float] = field(default_factory=list)
    losses: list[tuple[LossCause, int]] = field(default_factory=list)
    moved: int = 0
    versions: list[ReferenceVersion] = field(default_factory=list)
    occasions: list[bool] = field(default_factory=list)

    def received(self, workload: Workload, acts: int, latencies: Iterable[float]) -> None:
        self.acts += acts
        self.latencies += latencies

    def lost(self, workload: Workload, cause: LossCause, count: int) -> None:
        self.losses.append((cause, count))

    def clamped(self, workload: Workload, count: int) -> None:
        self.moved += count

    def in_force(self, workload: Workload, versions: Iterable[ReferenceVersion]) -> None:
        self.versions = list(versions)

    def alerted(self, alert: Alert, path: trace.Path | None) -> None:
        self.occasions.append(path is not None)

    def close(self) -> None:
        pass


async def settled(stream: Stream, sequence: int) -> None:
    """Until what follows the acknowledgement is done too: the next message is read only then."""
    await stream.send(batch(sequence))
    await stream.acknowledged(sequence)


async def test_an_alerts_path_is_a_trace_by_the_id_that_the_alert_carries(tmp_path: Path) -> None:
    with collecting() as (collector, endpoint):
        telemetry = open_telemetry({"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}, "0")
        async with serving(tmp_path, telemetry=telemetry) as running:
            stream = await running.stream()
            await running.operator().SetMode(DETECT)
            now = time.time()
            evil = definition(1, replace(CONTACT, host="evil.example"), now - 0.5)
            sent = batch(1, [evil], judged_at=now - 0.25)
            sent.base_time = now - 0.5
            await stream.send(sent)
            await stream.acknowledged(1)
            await settled(stream, 2)
            (alert,) = (await running.operator().ListAlerts(operator_pb2.ListAlertsRequest())).alerts
        telemetry.close()
    root, *stages = collector.spans
    assert {span.trace_id.hex() for span in collector.spans} == {alert.trace_id}
    assert [span.name for span in stages] == [
        "inscope.judged",
        "inscope.received",
        "inscope.stored",
        "inscope.alerted",
    ]
    assert abs(root.start_time_unix_nano / 1e9 - (now - 0.5)) < 0.001
    assert abs(stages[0].end_time_unix_nano / 1e9 - (now - 0.25)) < 0.001
    assert root.end_time_unix_nano / 1e9 >= now
    assert collector.metric("inscope.alerts").sum.data_points[0].as_int == 1


async def test_what_is_counted(tmp_path: Path) -> None:
    recorder = Recorder()
    lossy = words_pb2.SourceCoverage(source="init", since=NOW, losses={"init-queue": 3})
    lossier = words_pb2.SourceCoverage(source="init", since=NOW, losses={"init-queue": 5, "spool-full": 1})
    async with serving(tmp_path, telemetry=recorder) as running:
        stream = await running.stream()
        await stream.send(batch(1, [definition(1, time=time.time() + 9_999)], [(1, 4, 0)], coverage=[lossy]))
        while not (await stream.next("reference")).reference.versions:
            pass
        await stream.send(batch(2, rows=[(1, 2, 0)], coverage=[lossier]))
        await settled(stream, 3)
    assert (recorder.acts, len(recorder.latencies)) == (6, 1)
    assert recorder.moved >= 1
    assert recorder.losses[0] == (LossCause.INIT_QUEUE, 3)
    assert sorted(recorder.losses[1:]) == [(LossCause.INIT_QUEUE, 2), (LossCause.SPOOL_FULL, 1)]
    assert recorder.versions


async def test_losses_told_before_are_not_counted_again_on_the_next_stream(tmp_path: Path) -> None:
    recorder = Recorder()
    lossy = words_pb2.SourceCoverage(source="init", since=NOW, losses={"init-queue": 3})
    async with serving(tmp_path, telemetry=recorder) as running:
        for epoch in ("e1", "e2"):
            stream = await running.stream(epoch=epoch)
            await stream.send(batch(1, coverage=[lossy]))
            await settled(stream, 2)
            await stream.call.done_writing()
            await stream.end()
    assert recorder.losses == [(LossCause.INIT_QUEUE, 3)]


async def test_an_alert_that_is_counted_again_is_no_new_trace(tmp_path: Path) -> None:
    recorder = Recorder()
    async with serving(tmp_path, telemetry=recorder) as running:
        stream = await running.stream()
        await running.operator().SetMode(DETECT)
        await stream.send(batch(1, [definition(1)], [(1, 2, 0), (1, 1, 5)]))
        await stream.send(batch(2, rows=[(1, 1, 0)]))
        await settled(stream, 3)
    assert recorder.occasions == [True, False]
