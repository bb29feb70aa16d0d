# SPDX-License-Identifier: MIT
# SHOWS two tasks that take two asyncio locks in two orders, and meet, while a heartbeat keeps the loop turning
# EXPECT deadlock confidence=observed tasks=debit,credit stacks=debit,credit roles=awaits,holds
# RUN timeout=3
import asyncio


async def debit(accounts, audit):
    async with accounts:
        await asyncio.sleep(0)
        async with audit:
            pass


async def credit(accounts, audit):
    async with audit:
        await asyncio.sleep(0)
        async with accounts:
            pass


async def heartbeat():
    while True:
        await asyncio.sleep(0.05)


async def main():
    accounts, audit = asyncio.Lock(), asyncio.Lock()
    beat = asyncio.create_task(heartbeat())
    await asyncio.gather(debit(accounts, audit), credit(accounts, audit))
    beat.cancel()


asyncio.run(main())
