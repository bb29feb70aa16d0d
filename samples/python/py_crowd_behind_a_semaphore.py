# SPDX-License-Identifier: MIT
# SHOWS the server of py_crowd_of_a_busy_loop with a semaphore around the work: ten are at work, the others are held back
# NEVER unbounded-tasks
# RUN clean
import asyncio


async def job(slots, gate):
    async with slots:
        await gate


async def accept(slots, gate, jobs):
    for _ in range(50):
        jobs += [asyncio.create_task(job(slots, gate)) for _ in range(40)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def run(count, rest):
    gate, slots = asyncio.get_running_loop().create_future(), asyncio.Semaphore(10)
    jobs = [asyncio.create_task(job(slots, gate)) for _ in range(count)]
    await asyncio.sleep(rest)
    if not count:
        await accept(slots, gate, jobs)
    gate.set_result(None)
    await asyncio.gather(*jobs)


async def main():
    await run(100, 0.25)
    await run(0, 0)


asyncio.run(main())
