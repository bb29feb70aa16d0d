# SPDX-License-Identifier: MIT
# SHOWS two tasks that wait for each other since before thirty thousand short ones, recorded in bounded mode
# EXPECT await-cycle confidence=observed tasks=parse,check stacks=parse,check
# RUN timeout=8 options=--mode=bounded
import asyncio

tasks = {}


async def parse():
    return await tasks["check"]


async def check():
    return await tasks["parse"]


async def short():
    await asyncio.sleep(0)


async def main():
    for step in (parse, check):
        tasks[step.__name__] = asyncio.create_task(step(), name="the " + step.__name__)
    for _ in range(300):
        await asyncio.gather(*(asyncio.create_task(short()) for _ in range(100)))
    await asyncio.wait(tasks.values())


asyncio.run(main())
