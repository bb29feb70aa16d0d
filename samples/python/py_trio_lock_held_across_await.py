# SPDX-License-Identifier: MIT
# SHOWS a lock of threads that a task of trio holds while it waits
# EXPECT lock-held-across-await confidence=hint stacks=refresh lines=with+cache:,await+trio.sleep(0.01)
# RUN clean
# BUILD modules=trio
import threading

import trio

cache = threading.Lock()


async def refresh():
    with cache:
        await trio.sleep(0.01)


async def main():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(refresh)


trio.run(main)
