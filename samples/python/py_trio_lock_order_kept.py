# SPDX-License-Identifier: MIT
# SHOWS tasks of trio that take two locks in one order, wait for each other's, give one up when its time is over, and use a condition
# NEVER deadlock lock-order-inversion stuck-wait await-cycle loop-stall blocking-call-in-loop leaked-task
# RUN clean
# BUILD modules=trio
import trio


async def book(accounts, audit):
    async with accounts:
        await trio.sleep(0)
        async with audit:
            await trio.sleep(0.01)


async def give_up(accounts):
    with trio.move_on_after(0.2):
        await accounts.acquire()


async def consume(condition, items):
    async with condition:
        while not items:
            await condition.wait()
        items.pop()


async def main():
    accounts = trio.Lock()
    audit = trio.Lock()
    condition = trio.Condition()
    items = []
    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(book, accounts, audit)
    async with trio.open_nursery() as nursery:
        async with accounts:
            with trio.move_on_after(0.25):
                await trio.sleep(1)
            nursery.start_soon(give_up, accounts)
            await trio.sleep(0.5)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(consume, condition, items)
        await trio.sleep(0.25)
        async with condition:
            items.append(1)
            condition.notify()


trio.run(main)
