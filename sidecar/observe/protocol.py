"""The bounds that protocol.h sets, and how the two sides break it."""

from __future__ import annotations

from sidecar.observe.header import HEADER

PROTOCOL_VERSION = HEADER.constants["PROTOCOL_VERSION"]
MAGIC = HEADER.constants["MAGIC"]
PACKET_MAX = HEADER.constants["PACKET_MAX"]
FDS_MAX = HEADER.constants["FDS_MAX"]
ARGV_ITEMS_MAX = HEADER.constants["ARGV_ITEMS_MAX"]


class MalformedPacketError(Exception):
    """The peer sent bytes that are not the protocol: `reason` at byte `offset` of the packet. The peer is at fault."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(f"malformed packet from init at byte {offset}: {reason}")
        self.reason = reason
        self.offset = offset


class ProtocolVersionError(MalformedPacketError):
    """The peer speaks another version: init and sidecar come from different builds."""

    def __init__(self, version: int, offset: int) -> None:
        super().__init__(f"protocol version {version}, this sidecar speaks {PROTOCOL_VERSION}", offset)
        self.version = version


class OversizedPacketError(ValueError):
    """What we wanted to send does not fit into a packet: we are at fault."""
