"""The agent's processes as they act: who acts, what it runs, and what survives a restart of the sidecar."""

from __future__ import annotations

from sidecar.observe.bodies import Head
from sidecar.observe.process_log import ProcessLog
from sidecar.observe.processes import FileId, Process, ProcessTable

INIT_LABEL = "inscope-init"
"""What the agent's first process is called until it execs the agent."""


class Actors:
    """The table of processes, with each change of what one runs in the log.

    Args:
        agent: the pid of the agent's first process.
        resumed: it has been running since before this sidecar.
    """

    def __init__(self, agent: int, process_log: ProcessLog, *, resumed: bool) -> None:
        self._table = ProcessTable()
        self._log = process_log
        if resumed:
            self._table.restore(process_log.read())
        else:
            self._table.expect(agent, INIT_LABEL)
        process_log.rewrite(self._table.alive())

    def of(self, head: Head) -> Process:
        """Who a record is about."""
        return self._table.of(head)

    def executed(self, process: Process, label: str, image: FileId, ask: int = 0) -> Process:
        """The process runs another program from now on; `ask` is the question that it was held for, if it was."""
        before, process = process, self._table.executed(process, label, image)
        if not self._log.append(process, before, ask):
            self._log.rewrite(self._table.alive())
        return process

    def asked(self, process: Process, ask: int) -> Process:
        """The process is held for this question. Who answered it before did so to nobody: the exec did not happen."""
        before = self._log.before(ask)
        return self.executed(process, before.label, before.image) if before else process

    def exited(self, head: Head) -> None:
        """The process is gone; its late records still find it for a while."""
        self._table.exited(head)
