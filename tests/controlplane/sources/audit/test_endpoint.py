"""What is posted over real TLS: who may, what is taken, and what the API server is told when it is not."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
from pathlib import Path

import pytest

from controlplane.sources.audit.credentials import credentials_of
from controlplane.sources.audit.endpoint import BusyError
from controlplane.sources.audit.posts import MAX_HEAD, Bounds
from tests.controlplane.sources.audit.events import POSTED, event, line
from tests.controlplane.sources.audit.posting import API_SERVER, TOKEN, Signer, listed, serving


async def test_what_a_real_api_server_posted_is_taken(tmp_path: Path) -> None:
    async with serving(tmp_path) as post:
        assert await post(POSTED) == 200
        told = [line(each) for each in post.taken.exercises]
        assert len(told) == len(POSTED["items"])
        assert (
            "system:serviceaccount:kube-system:cronjob-controller list jobs.batch: allowed"
            " by ClusterRoleBinding system:controller:cronjob-controller"
        ) in told
        (coverage,) = post.taken.coverages
        assert (coverage.scope, coverage.events, coverage.malformed) == ("prod", len(POSTED["items"]), 0)


async def test_several_posts_come_over_one_connection_and_gzip_is_understood(tmp_path: Path) -> None:
    async with serving(tmp_path) as post:
        bodies = [
            (json.dumps(listed(event(1))).encode(), ""),
            (gzip.compress(json.dumps(listed(event(2))).encode()), "gzip"),
        ]
        head = "POST /audit HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n{}\r\n"
        sent = b"".join(
            head.format(
                TOKEN, len(body), f"Content-Encoding: {how}\r\n" if how else "Connection: keep-alive\r\n"
            ).encode()
            + body
            for body, how in bodies
        )
        answers = await post.raw(sent + b"GARBAGE\r\n\r\n")
        assert answers.count(b"HTTP/1.1 200 ") == 2
        assert [each.id[-1] for each in post.taken.exercises] == ["1", "2"]


async def test_who_shows_no_token_or_a_wrong_one_is_counted_and_never_read(tmp_path: Path) -> None:
    async with serving(tmp_path) as post:
        assert await post(listed(event()), token="") == 401
        assert await post(listed(event()), token=TOKEN[:-1]) == 401
        assert await post(listed(event()), token="", Authorization=f"Basic {TOKEN}") == 401
        assert await post(b"x" * 200_000, token="x" * 100) == 401
        assert await post(b"", token="", path="/secret", method="GET") == 401  # nor told what there is
        assert post.taken.exercises == []
        assert post.endpoint.counted.answers == {401: 5}
        assert post.endpoint.counted.faults == {}


async def test_a_refused_body_is_not_waited_for(tmp_path: Path) -> None:
    async with serving(tmp_path) as post:
        answer = await post.raw(b"POST /audit HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n{")
        assert answer.startswith(b"HTTP/1.1 401 ")


async def test_a_certificate_of_the_right_authority_and_name_may_post(tmp_path: Path) -> None:
    clients = Signer(tmp_path, "clients-ca")
    credentials = credentials_of([TOKEN], certificates=True, names=[API_SERVER])
    async with serving(tmp_path, credentials, clients=clients.bundle) as post:
        assert await post(listed(event(1)), token="", client=clients.keys(API_SERVER)) == 200
        assert await post(listed(event(2)), token="", client=clients.keys("kubelet")) == 403
        assert await post(listed(event(3)), token="") == 401
        assert await post(listed(event(4))) == 200  # the token does as well
        stranger = Signer(tmp_path, "strangers-ca").keys("stranger")
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await post(listed(event(5)), token="", client=stranger)
        assert [each.id[-1] for each in post.taken.exercises] == ["1", "4"]
        assert post.endpoint.counted.answers == {200: 2, 401: 1, 403: 1}


async def test_events_twice_and_out_of_order_are_taken_once(tmp_path: Path) -> None:
    async with serving(tmp_path) as post:
        assert await post(listed(event(2), event(1), event(2))) == 200
        assert await post(listed(event(1), event(3))) == 200
        assert await post(listed(event(3))) == 200
        assert [each.id[-1] for each in post.taken.exercises] == ["2", "1", "3"]
        assert (post.endpoint.counted.events, post.endpoint.counted.duplicates) == (3, 3)


async def test_a_watch_is_told_when_it_starts_and_not_again_in_a_later_post(tmp_path: Path) -> None:
    async with serving(tmp_path) as post:
        await post(listed(event(1, verb="watch", stage="ResponseStarted")))
        await post(listed(event(1, verb="watch")))
        assert len(post.taken.exercises) == 1


async def test_what_could_not_be_taken_is_sent_again_and_then_taken(tmp_path: Path) -> None:
    async with serving(tmp_path) as post:
        post.taken.raising = [ValueError("the store is full"), BusyError(7)]
        busy = await post.answer(listed(event()))
        assert (busy.status, busy.headers["retry-after"]) == (429, "7")
        failed = await post.answer(listed(event()))
        assert (failed.status, failed.headers["retry-after"]) == (500, "5")
        assert await post(listed(event())) == 200
        assert len(post.taken.exercises) == 1
        assert post.endpoint.counted.duplicates == 0


async def test_more_posts_at_once_than_can_be_taken_are_told_to_come_back(tmp_path: Path) -> None:
    async with serving(tmp_path, bounds=Bounds(at_once=2)) as post:
        post.taken.gate = asyncio.Event()
        held = [asyncio.create_task(post(listed(event(number)))) for number in (1, 2)]
        while post.endpoint._held < 2:
            await asyncio.sleep(0.01)
        answer = await post.answer(listed(event(3)))
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        post.taken.gate.set()
        assert await asyncio.gather(*held) == [200, 200]
        assert await post(listed(event(3))) == 200
        assert sorted(each.id[-1] for each in post.taken.exercises) == ["1", "2", "3"]


async def test_a_post_that_is_being_taken_is_taken_before_the_endpoint_closes(tmp_path: Path) -> None:
    async with serving(tmp_path) as post:
        post.taken.gate = asyncio.Event()
        held = asyncio.create_task(post(listed(event())))
        while not post.endpoint._taking.locked():
            await asyncio.sleep(0.01)
        closing = asyncio.create_task(post.endpoint.close())
        await asyncio.sleep(0)
        post.taken.gate.set()
        await closing
        await asyncio.gather(held, return_exceptions=True)
        assert len(post.taken.exercises) == 1


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"not JSON", {}, 400),
        (b"{}", {}, 400),
        (json.dumps({**listed(event()), "apiVersion": "audit.k8s.io/v1beta1"}).encode(), {}, 400),
        (b"\x1f\x8b broken", {"Content_Encoding": "gzip"}, 400),
        (gzip.compress(json.dumps(listed(event())).encode())[:-9], {"Content_Encoding": "gzip"}, 400),
        (gzip.compress(b" " * 200_000), {"Content_Encoding": "gzip"}, 413),
        (b" " * 200_000, {}, 413),
        (b"{}", {"Content_Encoding": "br"}, 415),
        (b"", {"method": "GET"}, 405),
        (b"{}", {"path": "/"}, 404),
    ],
)  # fmt: skip
async def test_a_post_that_is_none_is_refused_for_good(
    tmp_path: Path, body: bytes, headers: dict[str, str], status: int
) -> None:
    async with serving(tmp_path, bounds=Bounds(body=100_000)) as post:
        assert await post(body, **headers) == status
        assert post.taken.exercises == []
        assert await post(listed(event())) == 200


async def test_one_bad_event_does_not_cost_the_others_of_its_post(tmp_path: Path) -> None:
    async with serving(tmp_path) as post:
        assert await post(listed(event(1), {"auditID": 7}, event(2))) == 200
        assert [each.id[-1] for each in post.taken.exercises] == ["1", "2"]
        assert post.endpoint.counted.faults == {"not JSON, or not of an event's shape": 1}


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00" * 100,
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST /audit HTTP/1.1\r\nHost: h\r\nX: " + b"x" * (2 * MAX_HEAD),
        b"POST /audit HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /audit HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        f"POST /audit HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {TOKEN}\r\n"
        "Transfer-Encoding: chunked\r\n\r\nzz\r\n".encode(),
    ],
)  # fmt: skip
async def test_what_is_not_http_ends_its_own_connection_only(tmp_path: Path, sent: bytes) -> None:
    async with serving(tmp_path) as post:
        answer = await post.raw(sent)
        assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 5"))
        assert await post(listed(event())) == 200


async def test_chunks_and_a_client_that_asks_first_are_served(tmp_path: Path) -> None:
    async with serving(tmp_path) as post:
        body = json.dumps(listed(event())).encode()
        head = f"POST /audit HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: Bearer {TOKEN}\r\n"
        chunked = head + "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
        answer = await post.raw(chunked.encode() + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        assert b"HTTP/1.1 200 " in answer
        assert len(post.taken.exercises) == 1


async def test_whoever_is_slow_is_hung_up_on_and_too_many_are_turned_away(tmp_path: Path) -> None:
    async with serving(tmp_path, bounds=Bounds(connections=1, head_seconds=0.3, body_seconds=0.3)) as post:
        assert await post.raw(b"POST /audit HTTP/1.1\r\n") == b""
        half = f"POST /audit HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 9\r\n\r\n{{"
        assert await post.raw(half.encode()) == b""
        first = asyncio.create_task(post.raw(b""))
        while not post.endpoint._connections:
            await asyncio.sleep(0.01)
        assert await post.raw(b"") == b""
        assert post.endpoint.counted.turned_away == 1
        await first
        assert await post(listed(event())) == 200


def test_credentials_by_which_nobody_or_anybody_could_post_are_refused() -> None:
    with pytest.raises(ValueError, match="nobody could post"):
        credentials_of()
    with pytest.raises(ValueError, match="at least 16"):
        credentials_of(["short"])
