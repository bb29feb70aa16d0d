# SPDX-License-Identifier: MIT
# SHOWS a lock of threads that a task holds while it waits: whoever else of the loop wants it stops the loop
# EXPECT lock-held-across-await confidence=hint tasks=refresh stacks=refresh lines=with+cache:,await+asyncio.sleep(0.01)
# RUN clean
import asyncio
import threading

cache = threading.Lock()


async def refresh():
    with cache:
        await asyncio.sleep(0.01)


async def main():
    await asyncio.create_task(refresh())


asyncio.run(main())
