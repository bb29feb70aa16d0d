# SPDX-License-Identifier: MIT
# SHOWS tasks that change in one step, read again after the await, hold an asyncio.Lock or a semaphore, or all store the same value
# NEVER data-race atomicity-violation deadlock await-cycle leaked-task
# RUN options=--python-races clean
import asyncio

seen = 0


class Account:
    def __init__(self):
        self.balance = 100
        self.reserved = 0
        self.limit = 5
        self.lock = asyncio.Lock()
        self.one = asyncio.Semaphore(1)
        self.is_open = False
        self.busy = False

    async def withdraw(self, amount):
        await asyncio.sleep(0)
        self.balance -= amount

    async def reserve(self, amount):
        async with self.lock:
            before = self.reserved
            await asyncio.sleep(0)
            self.reserved = before + amount

    async def raise_limit(self):
        async with self.one:
            before = self.limit
            await asyncio.sleep(0)
            self.limit = before + 1

    async def open(self):
        if not self.is_open:
            await asyncio.sleep(0)
            self.is_open = True

    async def exclusive(self):
        if self.busy:
            return
        self.busy = True
        await asyncio.sleep(0)
        self.busy = False

    async def retry(self, amount):
        while True:
            before = self.balance
            await asyncio.sleep(0)
            if self.balance == before:
                self.balance = before - amount
                return


async def count():
    global seen
    await asyncio.sleep(0)
    seen += 1


async def main():
    account = Account()
    for job in (lambda: account.withdraw(1), lambda: account.reserve(1), account.raise_limit, account.open,
                account.exclusive, count, lambda: account.retry(1)):
        await asyncio.gather(*(job() for _ in range(3)))


asyncio.run(main())
