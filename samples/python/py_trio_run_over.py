# SPDX-License-Identifier: MIT
# SHOWS a run of trio that is over: work and waits of the program afterwards hold nobody up, and are no task's
# NEVER loop-stall blocking-call-in-loop
# RUN clean
# BUILD modules=trio
import subprocess
import time

import trio


async def turn():
    for _ in range(30):
        await trio.sleep(0.001)


async def main():
    async with trio.open_nursery() as nursery:
        for n in range(3):
            nursery.start_soon(turn, name=f"turn-{n}")


trio.run(main)
subprocess.run(["sleep", "0.2"], check=True)
end = time.thread_time() + 0.25
while time.thread_time() < end:
    pass
