# SPDX-License-Identifier: MIT
# SHOWS tasks that read before and write after an await, each alone this time: the next one reads when the one before has written
# EXPECT atomicity-violation confidence=hint level=note tasks=order locks=Stock.left
# NEVER data-race deadlock await-cycle leaked-task
# RUN options=--python-races clean
import asyncio


class Stock:
    def __init__(self):
        self.left = 10
        self.closed = asyncio.Event()

    async def order(self, first, done):
        await first.wait()
        before = self.left
        await asyncio.sleep(0)
        self.left = before - 1
        done.set()
        await self.closed.wait()


async def main():
    stock = Stock()
    steps = [asyncio.Event() for _ in range(3)]
    steps[0].set()
    orders = asyncio.gather(stock.order(steps[0], steps[1]), stock.order(steps[1], steps[2]))
    await steps[2].wait()
    stock.closed.set()
    await orders


asyncio.run(main())
