# SPDX-License-Identifier: MIT
# SHOWS a poller on uvloop that takes its cancellation for a failed request and goes on
# EXPECT swallowed-cancellation confidence=observed tasks=poll stacks=shut_down,fetch,poll roles=signals,awaits,waits,creates
# BUILD modules=uvloop
import asyncio

import uvloop


async def fetch():
    await asyncio.sleep(60)


async def poll():
    try:
        await fetch()
    except BaseException as e:
        print("request failed:", type(e).__name__)
    for _ in range(3):
        await asyncio.sleep(0.01)
    return "polled"


async def shut_down(task):
    task.cancel()
    print(await task)


async def main():
    task = asyncio.create_task(poll())
    await asyncio.sleep(0)
    await shut_down(task)


uvloop.install()
asyncio.run(main())
