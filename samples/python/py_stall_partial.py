# SPDX-License-Identifier: MIT
# SHOWS a callback that computes for long, given to the loop as a partial
# EXPECT loop-stall confidence=observed stacks=crunch
# RUN clean
import asyncio
import functools
import time


def crunch(rounds, seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        rounds += 1
    return rounds


async def main():
    loop = asyncio.get_running_loop()
    loop.call_later(0.01, functools.partial(functools.partial(crunch, 1), 0.3))
    await asyncio.sleep(0.1)


asyncio.run(main())
