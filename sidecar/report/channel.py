"""How the sidecar's gRPC channels are set up."""

from __future__ import annotations

Options = list[tuple[str, str | int]]

MAX_RECEIVE = 32 << 20
"""Bytes of one message from the control plane: a reference of a hundred thousand entries."""


def server_options(server_name: str) -> Options:
    """Options for a channel to the control plane, whose certificate must name `server_name`.

    Each channel has its own connection (a local subchannel pool), so that gRPC's own back-off of an earlier one does
    not add to ours. Pings find a peer that went away without a word.
    """
    return [
        ("grpc.ssl_target_name_override", server_name),
        ("grpc.default_authority", server_name),
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.max_receive_message_length", MAX_RECEIVE),
        ("grpc.max_send_message_length", -1),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.enable_retries", 0),
        ("grpc.enable_http_proxy", 0),
    ]
