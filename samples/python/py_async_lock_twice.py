# SPDX-License-Identifier: MIT
# SHOWS a task that takes an asyncio lock which it holds: it is not reentrant
# EXPECT self-deadlock confidence=observed tasks=main stacks=flush,save
# RUN timeout=3
import asyncio


async def flush(lock):
    async with lock:
        pass


async def save(lock):
    async with lock:
        await flush(lock)


async def main():
    await save(asyncio.Lock())


asyncio.run(main())
