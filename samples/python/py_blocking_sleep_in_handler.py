# SPDX-License-Identifier: MIT
# SHOWS time.sleep two calls below a coroutine: the loop stands still for all others
# EXPECT blocking-call-in-loop confidence=observed tasks=handle stacks=retry,handle
# EXPECT loop-stall confidence=observed tasks=handle
import asyncio
import time


def retry():
    time.sleep(0.25)


async def handle():
    retry()


async def main():
    await asyncio.gather(asyncio.create_task(handle()), asyncio.sleep(0.01))


asyncio.run(main())
