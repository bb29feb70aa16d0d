# SPDX-License-Identifier: MIT
# SHOWS two tasks on uvloop that take two asyncio locks in two orders, one after the other
# EXPECT lock-order-inversion confidence=potential tasks=main,credit stacks=debit,credit roles=holds,acquires
# BUILD modules=uvloop
import asyncio

import uvloop


async def debit(accounts, audit):
    async with accounts:
        await asyncio.sleep(0)
        async with audit:
            pass


async def credit(accounts, audit):
    await asyncio.sleep(0.02)
    async with audit:
        await asyncio.sleep(0)
        async with accounts:
            pass


async def main():
    accounts, audit = asyncio.Lock(), asyncio.Lock()
    late = asyncio.create_task(credit(accounts, audit))
    await debit(accounts, audit)
    await late


uvloop.install()
asyncio.run(main())
