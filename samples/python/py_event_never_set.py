# SPDX-License-Identifier: MIT
# SHOWS a task that waits for an event which nobody sets: the one who would have ended before
# EXPECT stuck-wait confidence=observed tasks=consume stacks=consume
# RUN timeout=3
import asyncio


async def produce(ready):
    await asyncio.sleep(0)
    if not ready:
        ready.set()


async def consume(ready):
    await ready.wait()


async def main():
    ready = asyncio.Event()
    await asyncio.gather(produce(ready), consume(ready))


asyncio.run(main())
