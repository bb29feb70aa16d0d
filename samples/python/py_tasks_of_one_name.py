# SPDX-License-Identifier: MIT
# SHOWS two tasks of one function that wait for each other's lock: each has to be told from the other
# EXPECT deadlock confidence=observed tasks=transfer,transfer says=transfer+#1+and+task+transfer+#2
# RUN timeout=3
import asyncio


async def transfer(source, target):
    async with source:
        await asyncio.sleep(0.05)
        async with target:
            pass


async def main():
    here, there = asyncio.Lock(), asyncio.Lock()
    await asyncio.gather(transfer(here, there), transfer(there, here))


asyncio.run(main())
