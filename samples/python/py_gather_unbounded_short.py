# SPDX-License-Identifier: MIT
# SHOWS thousands of requests at once that are soon done: they are looked at as soon as all have begun
# EXPECT unbounded-tasks confidence=potential tasks=fetch stacks=main,fetch
# RUN clean
import asyncio


async def fetch(number):
    await asyncio.sleep(0.15)
    return number


async def main():
    await asyncio.gather(*(fetch(n) for n in range(3000)))


asyncio.run(main())
