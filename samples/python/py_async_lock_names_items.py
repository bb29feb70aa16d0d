# SPDX-License-Identifier: MIT
# SHOWS names of asyncio locks that are items of containers, in a deadlock of two tasks
# EXPECT deadlock confidence=observed tasks=debit,credit locks=locks[1],Bank.of["anna"]
# RUN timeout=3
import asyncio


class Bank:
    def __init__(self):
        self.of = {}

    def add(self, who):
        self.of[who] = asyncio.Lock()


async def debit(locks, bank):
    async with locks[1]:
        await asyncio.sleep(0)
        async with bank.of["anna"]:
            pass


async def credit(locks, bank):
    async with bank.of["anna"]:
        await asyncio.sleep(0)
        async with locks[1]:
            pass


async def main():
    locks = [asyncio.Lock() for _ in range(3)]
    bank = Bank()
    bank.add("anna")
    await asyncio.gather(debit(locks, bank), credit(locks, bank))


asyncio.run(main())
