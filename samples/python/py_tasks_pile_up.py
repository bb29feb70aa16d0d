# SPDX-License-Identifier: MIT
# SHOWS a service that makes a watcher for each session and never ends one: they pile up, and memory with them
# EXPECT leaked-task confidence=potential tasks=watch stacks=open_session count=1 says=tasks+made+at+one+place
import asyncio

sessions = []


async def watch(closed):
    await closed.wait()


def open_session():
    sessions.append(asyncio.create_task(watch(asyncio.Event())))


async def main():
    for _ in range(200):
        open_session()
        await asyncio.sleep(0)


asyncio.run(main())
