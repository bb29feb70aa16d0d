# SPDX-License-Identifier: MIT
# SHOWS a task that reads an asynchronous generator and that nobody keeps: the collector of cycles frees both, and closing the generator fails because it is at work
# EXPECT leaked-task confidence=observed tasks=Feed.pump stacks=show roles=creates says=destroyed
# NEVER unretrieved-exception
import asyncio
import gc


class Feed:
    def __init__(self):
        self.changed = asyncio.Event()

    async def items(self):
        while True:
            await self.changed.wait()
            yield 1

    async def pump(self, sink):
        async for item in self.items():
            sink.append(item)


async def show(sink):
    feed = Feed()
    asyncio.create_task(feed.pump(sink))
    await asyncio.sleep(0)


async def main():
    await show([])
    gc.collect()
    await asyncio.sleep(0.01)


asyncio.run(main())
