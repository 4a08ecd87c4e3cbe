"""A gRPC channel to the control plane: a unix socket guarded by file permissions, or TCP under mTLS."""

from __future__ import annotations

from pathlib import Path

import grpc
import grpc.aio

from controlplane.address import SERVER_NAME
from controlplane.cli.exit_codes import CommandError, ExitCode
from controlplane.cli.place import Place

_OPTIONS = [
    ("grpc.enable_http_proxy", 0),  # loopback and cluster addresses are never behind the user's proxy
    ("grpc.max_receive_message_length", 256 << 20),  # `show --entries` of a large reference
]


def open_channel(place: Place) -> grpc.aio.Channel:
    """A channel, not yet connected.

    Raises:
        CommandError: the credentials cannot be read.
    """
    if not place.address:
        return grpc.aio.insecure_channel(f"unix:{place.socket}", options=_OPTIONS)
    options = [*_OPTIONS, ("grpc.ssl_target_name_override", SERVER_NAME)]
    return grpc.aio.secure_channel(str(place.address), _credentials(place.credentials), options=options)


def _credentials(folder: Path) -> grpc.ChannelCredentials:
    try:
        ca, key, cert = ((folder / name).read_bytes() for name in ("ca.pem", "key.pem", "cert.pem"))
    except OSError as error:
        code = ExitCode.FORBIDDEN if isinstance(error, PermissionError) else ExitCode.NOT_FOUND
        said = (
            f"cannot read the operator's credentials: {error.filename}: {error.strerror} (--credentials names a folder)"
        )
        raise CommandError(code, said) from error
    return grpc.ssl_channel_credentials(root_certificates=ca, private_key=key, certificate_chain=cert)
