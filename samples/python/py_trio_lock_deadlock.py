# SPDX-License-Identifier: MIT
# SHOWS two tasks of trio that take two locks in two orders, and meet, while another task goes on
# EXPECT deadlock confidence=observed tasks=debit,credit stacks=debit,credit roles=awaits,holds locks=accounts,audit
# RUN timeout=4
# BUILD modules=trio
import trio


async def debit(accounts, audit):
    async with accounts:
        await trio.sleep(0.01)
        async with audit:
            pass


async def credit(accounts, audit):
    async with audit:
        await trio.sleep(0.01)
        async with accounts:
            pass


async def heartbeat():
    while True:
        await trio.sleep(0.3)


async def main():
    accounts = trio.Lock()
    audit = trio.Lock()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(heartbeat)
        nursery.start_soon(debit, accounts, audit)
        nursery.start_soon(credit, accounts, audit)


trio.run(main)
