"""What several stretches of a log cover together."""

from __future__ import annotations

from dataclasses import replace

from controlplane.posture.logs import merged
from tests.controlplane.acts import T0
from tests.controlplane.declared import AUDITED

NOTHING = replace(AUDITED, since=0.0, until=0.0, events=0, seen=frozenset(), malformed=1)


def test_a_stretch_without_events_covers_no_time() -> None:
    for whole in (merged(AUDITED, NOTHING), merged(NOTHING, AUDITED)):
        assert (whole.since, whole.until, whole.malformed) == (AUDITED.since, T0, 1)
    assert merged(NOTHING, NOTHING).since == 0.0
