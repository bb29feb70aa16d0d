# SPDX-License-Identifier: MIT
# SHOWS coroutines that are awaited, made into tasks, gathered, or closed on purpose before they began
# NEVER never-awaited leaked-task
# RUN clean
import asyncio


async def step(n):
    await asyncio.sleep(0)
    return n


async def lazily(make):
    return await make()


async def main():
    later = step(1)
    print(await later)
    print(await asyncio.gather(step(2), step(3)))
    print(await asyncio.create_task(step(4)))
    print(await lazily(lambda: step(5)))
    unwanted = step(6)
    unwanted.close()
    never = step(7)
    try:
        never.throw(ValueError("not this time"))
    except ValueError:
        pass
    print(await asyncio.wait_for(step(8), 5))


asyncio.run(main())
