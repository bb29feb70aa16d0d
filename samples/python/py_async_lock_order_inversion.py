# SPDX-License-Identifier: MIT
# SHOWS two asyncio locks taken in two orders by tasks that did not meet this time
# EXPECT lock-order-inversion confidence=potential tasks=debit,credit stacks=debit,credit roles=holds,acquires
import asyncio


async def debit(accounts, audit):
    async with accounts:
        async with audit:
            pass


async def credit(accounts, audit):
    async with audit:
        async with accounts:
            pass


async def main():
    accounts, audit = asyncio.Lock(), asyncio.Lock()
    await asyncio.gather(debit(accounts, audit), credit(accounts, audit))


asyncio.run(main())
