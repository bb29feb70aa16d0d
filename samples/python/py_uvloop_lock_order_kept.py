# SPDX-License-Identifier: MIT
# SHOWS tasks on uvloop that take two asyncio locks in one order, wait for each other's, and cancel one that waits
# NEVER deadlock lock-order-inversion stuck-wait swallowed-cancellation leaked-task
# RUN clean
# BUILD modules=uvloop
import asyncio

import uvloop


async def book(accounts, audit):
    async with accounts:
        await asyncio.sleep(0)
        async with audit:
            await asyncio.sleep(0.001)


async def main():
    accounts, audit = asyncio.Lock(), asyncio.Lock()
    await asyncio.gather(*(book(accounts, audit) for _ in range(5)))
    async with accounts:
        waits = asyncio.create_task(book(accounts, audit))
        await asyncio.sleep(0.01)
        waits.cancel()
        try:
            await waits
        except asyncio.CancelledError:
            pass


uvloop.install()
asyncio.run(main())
