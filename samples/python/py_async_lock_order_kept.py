# SPDX-License-Identifier: MIT
# SHOWS asyncio locks in two orders that can never meet: one task after the other, one task alone, and behind a third lock
# NEVER lock-order-inversion deadlock lock-held-at-exit lock-held-across-await
# RUN clean
import asyncio


async def forth(a, b):
    async with a:
        await asyncio.sleep(0)
        async with b:
            await asyncio.sleep(0)


async def back(a, b):
    async with b:
        async with a:
            await asyncio.sleep(0)


async def gated(gate, order, a, b):
    async with gate:
        await order(a, b)


async def main():
    a, b, c, d, gate = (asyncio.Lock() for _ in range(5))
    await asyncio.create_task(forth(a, b))
    await asyncio.create_task(back(a, b))
    await forth(a, b)
    await back(a, b)
    await asyncio.gather(gated(gate, forth, c, d), gated(gate, back, c, d))
    async with a:
        pass


asyncio.run(main())
