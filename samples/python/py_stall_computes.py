# SPDX-License-Identifier: MIT
# SHOWS a coroutine that computes for long between two awaits, two calls below its task: the line of the next await
# EXPECT loop-stall confidence=observed tasks=main stacks=main,crunch lines=await+crunch(),await+asyncio.sleep(0.02)
# NEVER blocking-call-in-loop
# RUN clean
import asyncio
import time


async def crunch():
    end = time.thread_time() + 0.3
    while time.thread_time() < end:
        pass
    await asyncio.sleep(0.02)


async def main():
    await asyncio.sleep(0.01)
    await crunch()
    await asyncio.sleep(0.03)


asyncio.run(main())
