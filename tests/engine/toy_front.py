"""A front end that works until it is killed: `python -m tests.engine.toy_front SESSIONS SESSION SEED`.

It prints `ready`, then a line for each reply it was given: the log line's number, the command, the artifact. Between
its commands it saves a view, as the app does.
"""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

from tests.engine import toy
from workbench.engine.async_client import AsyncClient
from workbench.engine.streams import socket_dial


async def keep_on(sessions: Path, session: str, seed: int) -> None:
    """Commands and views without end."""
    generator = random.Random(seed)
    client = AsyncClient(socket_dial("tests.engine.toy_broker"), sessions)
    await client.connect()
    await client.watch(session)
    print("ready", flush=True)
    while True:
        verb = generator.choice(
            [toy.Note(text=str(generator.random())), toy.Work(steps=2, seed=generator.randrange(10**9))]
        )
        reply = await client.request(verb, session=session)
        print(reply["seq"], reply["command"], reply["artifact"], flush=True)
        await client.save_view(session, {"screen": "log", "cursor": reply["seq"], "text": "x" * 5000})


if __name__ == "__main__":
    asyncio.run(keep_on(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
