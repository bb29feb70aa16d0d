# SPDX-License-Identifier: MIT
# SHOWS thousands of requests at once: gather makes a task of each, and nothing holds them back
# EXPECT unbounded-tasks confidence=potential tasks=fetch stacks=main,fetch
import asyncio


async def fetch(number):
    await asyncio.sleep(1)
    return number


async def main():
    await asyncio.gather(*(fetch(n) for n in range(3000)))


asyncio.run(main())
