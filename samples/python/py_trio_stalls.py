# SPDX-License-Identifier: MIT
# SHOWS a task of trio that waits for a child in a way that blocks its thread, and with it every other task
# EXPECT loop-stall stacks=convert tasks=convert
# ALLOW blocking-call-in-loop level=note..warning
# BUILD modules=trio
import subprocess

import trio


async def turn():
    for _ in range(30):
        await trio.sleep(0.001)


async def convert():
    await trio.sleep(0.02)
    subprocess.run(["sleep", "0.3"], check=True)


async def main():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(turn)
        nursery.start_soon(convert)


trio.run(main)
