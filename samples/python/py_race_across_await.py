# SPDX-License-Identifier: MIT
# SHOWS tasks that read an attribute, a global and an item, await, and write what they made of the old value
# EXPECT atomicity-violation confidence=observed tasks=withdraw locks=Account.balance roles=accesses,accesses,accesses
# EXPECT atomicity-violation confidence=observed tasks=count locks=seen roles=accesses,accesses,accesses
# EXPECT atomicity-violation confidence=observed tasks=tally says=tally_of roles=accesses,accesses
# EXPECT atomicity-violation confidence=observed tasks=connect locks=Account.connection roles=accesses,accesses
# NEVER data-race deadlock await-cycle leaked-task
# RUN options=--python-races
import asyncio

seen = 0
tally_of = {"words": 0}


class Account:
    def __init__(self):
        self.balance = 100
        self.connection = None

    async def withdraw(self, amount):
        before = self.balance
        await asyncio.sleep(0)
        self.balance = before - amount

    async def connect(self):
        if self.connection is None:
            await asyncio.sleep(0)
            self.connection = object()


async def count():
    global seen
    now = seen
    await asyncio.sleep(0)
    seen = now + 1


async def words():
    await asyncio.sleep(0)
    return 3


async def tally():
    tally_of["words"] += await words()


async def main():
    account = Account()
    for job in (lambda: account.withdraw(10), account.connect, count, tally):
        await asyncio.gather(*(job() for _ in range(3)))


asyncio.run(main())
