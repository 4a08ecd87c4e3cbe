"""Python's own network code: name lookup, all addresses in turn, and a request.

seen: connect
enforce: prevented
"""

import asyncio
import contextlib
import urllib.request

from given import given, run


async def dial():
    await asyncio.open_connection("localhost", int(given("DENIED_PORT")))


def attack():
    for _ in range(2):
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://localhost:{given('DENIED_PORT')}/", timeout=2)
    asyncio.run(dial())


def benign():
    async def dial_allowed():
        await asyncio.open_connection("localhost", int(given("ALLOWED_PORT")))

    asyncio.run(dial_allowed())


run(attack, benign)
