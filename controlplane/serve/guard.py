"""What stands before every method of ours: who may call it, that somebody does, and what an error is called outside."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias, cast

import grpc
import grpc.aio

from controlplane.pki.identity import OperatorPeer, SidecarPeer, UnknownPeerError
from controlplane.pki.peer import peer_of
from controlplane.serve.activity import Activity
from controlplane.serve.status import RefusedError, status_of

OURS = "/inscope.v1."
Allowed = Mapping[str, type[SidecarPeer] | type[OperatorPeer]]
"""Service → the kind of peer that may call it. A service of ours that is not named may be called by nobody."""

# gRPC's types for handlers are generic in messages that a guard never looks at.
Context = grpc.aio.ServicerContext[Any, Any]
Method = Callable[[Any, Context], Awaitable[Any]]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


class Guard(grpc.aio.ServerInterceptor):
    """Wraps the methods of our own services; health and reflection tell nothing and pass.

    `allowed` is None on a socket that file permissions (or nothing) guard.
    """

    def __init__(self, activity: Activity, closing: asyncio.Event, allowed: Allowed | None = None) -> None:
        """`closing` ends the streams, which would otherwise last for ever."""
        self._activity = activity
        self._closing = closing
        self._allowed = allowed

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """The method, guarded."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or not method.startswith(OURS):
            return handler
        return _wrapped(handler, lambda inner: self._guarded(method, self._ended(inner, handler.response_streaming)))

    def _ended(self, inner: Method, streaming: bool) -> Method:
        """`inner`, which ends when we do, if it would not end by itself."""

        async def until_closing(request: Any, context: Context) -> Any:
            running = asyncio.ensure_future(inner(request, context))
            closing = asyncio.ensure_future(self._closing.wait())
            try:
                await asyncio.wait({running, closing}, return_when=asyncio.FIRST_COMPLETED)
                if running.done():
                    return running.result()
            finally:
                closing.cancel()
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
            raise RefusedError(grpc.StatusCode.UNAVAILABLE, "the control plane is shutting down")

        return until_closing if streaming else inner

    def _guarded(self, method: str, inner: Method) -> Method:
        async def guarded(request: Any, context: Context) -> Any:
            with self._activity.busy():
                try:
                    self._check(method, context)
                    return await inner(request, context)
                except grpc.aio.AbortError:
                    raise
                except Exception as error:
                    code, sentence = status_of(error)
                await context.abort(code, sentence)

        return guarded

    def _check(self, method: str, context: Context) -> None:
        if self._allowed is None:
            return
        service = method.split("/")[1]
        wanted = self._allowed.get(service)
        peer = peer_of(context.auth_context())
        if wanted is None or not isinstance(peer, wanted):
            raise UnknownPeerError(f"a certificate of {_kind(peer)} may not call {service}")


def _kind(peer: SidecarPeer | OperatorPeer) -> str:
    return "a sidecar" if isinstance(peer, SidecarPeer) else "an operator"


def _wrapped(handler: Handler, wrap: Callable[[Method], Method]) -> Handler:
    """The same handler around a wrapped method. All methods of ours are coroutines, streaming ones too."""
    codec = {
        "request_deserializer": handler.request_deserializer,
        "response_serializer": handler.response_serializer,
    }
    match handler.request_streaming, handler.response_streaming:
        case False, False:
            return grpc.unary_unary_rpc_method_handler(wrap(cast(Method, handler.unary_unary)), **codec)
        case False, True:
            return grpc.unary_stream_rpc_method_handler(wrap(cast(Method, handler.unary_stream)), **codec)
        case True, True:
            return grpc.stream_stream_rpc_method_handler(wrap(cast(Method, handler.stream_stream)), **codec)
        case _:
            raise TypeError("no service of ours has a method with a streaming request and a single response")
