# SPDX-License-Identifier: MIT
# SHOWS a chain of dependencies that is a circle: parse awaits check, check awaits load, load awaits parse
# EXPECT await-cycle confidence=observed tasks=parse,check,load stacks=parse,check,load
# RUN timeout=3
import asyncio

tasks = {}


async def parse():
    await asyncio.sleep(0)
    return await tasks["check"]


async def check():
    return await asyncio.gather(tasks["load"])


async def load():
    return await tasks["parse"]


async def main():
    for step in (parse, check, load):
        tasks[step.__name__] = asyncio.create_task(step())
    await asyncio.wait(tasks.values())


asyncio.run(main())
