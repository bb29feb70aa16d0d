# SPDX-License-Identifier: MIT
# SHOWS two tasks of trio that take two locks in two orders, one after the other; one of them is given its lock by the other
# EXPECT lock-order-inversion confidence=potential tasks=debit,credit stacks=debit,credit roles=holds,acquires locks=accounts,audit
# BUILD modules=trio
import trio


async def debit(accounts, audit):
    async with accounts:
        await trio.sleep(0.01)
        async with audit:
            await trio.sleep(0.01)


async def credit(accounts, audit):
    await trio.sleep(0.2)
    async with audit:
        async with accounts:
            await trio.sleep(0)


async def main():
    accounts = trio.Lock()
    audit = trio.Lock()
    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(debit, accounts, audit)
        nursery.start_soon(credit, accounts, audit)


trio.run(main)
