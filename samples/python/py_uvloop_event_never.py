# SPDX-License-Identifier: MIT
# SHOWS a task on uvloop that waits for an event whose setter is gone
# EXPECT stuck-wait confidence=observed tasks=consumer stacks=consumer
# RUN timeout=3
# BUILD modules=uvloop
import asyncio

import uvloop


async def producer(ready, items):
    if items:
        ready.set()


async def consumer(ready):
    await ready.wait()


async def main():
    ready = asyncio.Event()
    await asyncio.gather(producer(ready, []), consumer(ready))


uvloop.install()
asyncio.run(main())
