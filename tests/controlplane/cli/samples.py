"""One finding and one alert that the tests of this folder look at."""

from __future__ import annotations

from inscope.alert import Alert, Crossing
from inscope.behaviour import Exec, Program, Script, ScriptOrigin
from inscope.capability import CapabilityKind
from inscope.finding import Finding, HeldCapability, Tripwire
from inscope.observation import Ancestor
from inscope.reference import Dimension, Entry, ReferenceKind, ReferenceVersion
from inscope.verdict import Verdict
from inscope.workload import Agent, Workload

WORKLOAD = Workload("local", "Process", "support-agent")
INVENTORY = ReferenceVersion(ReferenceKind.INVENTORY, 12)

FINDING = Finding(
    id="IN-3",
    kind=CapabilityKind.WRITABLE_CODE,
    workload=WORKLOAD,
    reference=INVENTORY,
    capability=HeldCapability(held=4, used=0, latent=4, examples=("/tmp/",)),
    tripwire=Tripwire("TW-IN-3", armed=True),
    sentence="can write and execute in 4 folders and never ran code from one",
    since=1_700_000_000.25,
)

ALERT = Alert(
    id="AL-1",
    time=1_700_000_100.0,
    last_seen=1_700_000_200.0,
    workload=WORKLOAD,
    agent=Agent(WORKLOAD),
    tripwire="TW-IN-3",
    crossed=(
        Crossing(INVENTORY, Entry(Dimension.PROGRAM, "sha256:aa /tmp/x", "/tmp/x"), "IN-3", ""),
        Crossing(
            ReferenceVersion(ReferenceKind.ENVELOPE, 7),
            Entry(Dimension.PROCESS, "python → /tmp/x"),
            None,
            "nothing lists who may start whom",
        ),
    ),
    behaviour=Exec(Program("/tmp/x", "aa" * 32, Script(ScriptOrigin.INLINE, "-c", "bb" * 32)), "python"),
    ancestry=(Ancestor(7, 99, "python"),),
    verdict=Verdict.ALLOW,
    techniques=("T1105",),
    rank=80,
    sentence="support-agent ran /tmp/x, which is not in its inventory.",
    count=3,
    trace_id="ab" * 16,
)
