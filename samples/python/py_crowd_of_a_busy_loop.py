# SPDX-License-Identifier: MIT
# SHOWS a server whose loop never rests takes two thousand jobs within a moment, with nothing to hold them back: they are seen although they are soon gone
# EXPECT unbounded-tasks confidence=potential tasks=job stacks=accept,job
# RUN clean
import asyncio


async def job(gate):
    await gate


async def accept(gate, jobs):
    for _ in range(50):
        jobs += [asyncio.create_task(job(gate)) for _ in range(40)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def run(count, rest):
    gate = asyncio.get_running_loop().create_future()
    jobs = [asyncio.create_task(job(gate)) for _ in range(count)]
    await asyncio.sleep(rest)
    if not count:
        await accept(gate, jobs)
    gate.set_result(None)
    await asyncio.gather(*jobs)


async def main():
    await run(100, 0.25)
    await run(0, 0)


asyncio.run(main())
