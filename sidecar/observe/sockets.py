"""Sockets connected, bound and listened on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from inscope.behaviour import OWN_LISTENER, Connect, Listen, Protocol
from inscope.observation import Observation
from sidecar.normalise.paths import Generaliser
from sidecar.observe.actors import Actors
from sidecar.observe.bodies import Address, Head
from sidecar.observe.claims import Claim, Peer
from sidecar.observe.destinations import EPHEMERAL, Endpoint, destination_of, listener_of, receiver_of
from sidecar.observe.drafts import Draft
from sidecar.observe.kinds import Flag
from sidecar.observe.processes import Process
from sidecar.observe.scribe import Scribe

_OWN = int(Flag.OWN)

_SENDS = frozenset({"sendto", "sendmsg", "sendmmsg"})


class Sockets:
    """Connects, each TCP one with its claim, and listeners. `ephemeral_from`: the first port the kernel gives out."""

    def __init__(self, actors: Actors, scribe: Scribe, generaliser: Generaliser, ephemeral_from: int) -> None:
        self._actors = actors
        self._scribe = scribe
        self._generaliser = generaliser
        self._ephemeral_from = ephemeral_from

    def connect(self, head: Head, address: Address) -> Sequence[Draft | Claim]:
        """A socket is connected, or something is sent to an address."""
        datagram = self._scribe.call(address.nr, head) in _SENDS
        endpoint = destination_of(address, datagram=datagram)
        process = self._actors.of(head)
        if endpoint is None:
            return ()
        behaviour = self._connect(head, endpoint, process)
        draft = self._scribe.draft(head, process, behaviour)
        return (draft, *self._claim(address, endpoint, draft.observation, process))

    def _connect(self, head: Head, endpoint: Endpoint, process: Process) -> Connect:
        """Init alone knows whose listener is there; what it says of others' ports is not believed."""
        if head.flags & _OWN and endpoint.port >= self._ephemeral_from:
            return Connect(OWN_LISTENER, EPHEMERAL, endpoint.protocol, process.label)
        return Connect(self._host(endpoint), endpoint.port, endpoint.protocol, process.label)

    def bind(self, head: Head, address: Address) -> Sequence[Draft]:
        """A socket is given its own address: for datagrams, that is listening."""
        return self._listening(head, receiver_of(address, ephemeral_from=self._ephemeral_from))

    def listen(self, head: Head, address: Address) -> Sequence[Draft]:
        """A socket starts to accept."""
        return self._listening(head, listener_of(address, ephemeral_from=self._ephemeral_from))

    def _listening(self, head: Head, endpoint: Endpoint | None) -> Sequence[Draft]:
        process = self._actors.of(head)
        if endpoint is None:
            return ()
        behaviour = Listen(self._host(endpoint), endpoint.port, endpoint.protocol, process.label)
        return (self._scribe.draft(head, process, behaviour),)

    def _host(self, endpoint: Endpoint) -> str:
        return self._generaliser.path(endpoint.host) if endpoint.protocol is Protocol.UNIX else endpoint.host

    def _claim(
        self, address: Address, endpoint: Endpoint, observation: Observation, process: Process
    ) -> Iterator[Claim]:
        if endpoint.protocol is Protocol.TCP and address.socket and endpoint.host:
            peer = Peer(endpoint.host, endpoint.port)
            yield Claim(address.socket, peer, observation.time, process.label, observation.ancestry)
