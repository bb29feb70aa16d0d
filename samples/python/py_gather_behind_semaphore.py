# SPDX-License-Identifier: MIT
# SHOWS thousands of tasks of which a semaphore lets fifty work at a time; and thousands that are over at once
# NEVER unbounded-tasks
# RUN clean
import asyncio


async def fetch(number, room):
    async with room:
        await asyncio.sleep(0)
        return number


async def compute(number):
    return number * number


async def main():
    room = asyncio.Semaphore(50)
    await asyncio.gather(*(fetch(n, room) for n in range(3000)))
    await asyncio.gather(*(compute(n) for n in range(3000)))


asyncio.run(main())
