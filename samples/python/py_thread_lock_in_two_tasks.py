# SPDX-License-Identifier: MIT
# SHOWS a lock of threads held over an await: the next task that takes it stops the thread that would have to release it
# EXPECT self-deadlock confidence=observed stacks=refresh,read
# ALLOW lock-held-across-await
# ALLOW blocking-call-in-loop|loop-stall level=warning
# RUN timeout=3
import asyncio
import threading

cache = threading.Lock()


async def refresh():
    with cache:
        await asyncio.sleep(0.01)


async def read():
    with cache:
        pass


async def main():
    await asyncio.gather(refresh(), read())


asyncio.run(main())
