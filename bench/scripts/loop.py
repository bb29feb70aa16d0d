# SPDX-License-Identifier: MIT
"""loop.py ITEMS - asyncio tasks over a queue, every fourth item on the thread-pool executor; prints a sum."""
import asyncio
import sys

CONSUMERS = 8


def work(n):
    return sum(i * i for i in range(n % 200))


async def consume(todo):
    loop, total = asyncio.get_running_loop(), 0
    while (n := await todo.get()) is not None:
        total += await loop.run_in_executor(None, work, n) if n % 4 == 0 else work(n)
    return total


async def main(items):
    todo = asyncio.Queue(100)
    consumers = [asyncio.create_task(consume(todo)) for _ in range(CONSUMERS)]
    for i in range(items):
        await todo.put(i)
    for _ in consumers:
        await todo.put(None)
    print("items", items, "sum", sum(await asyncio.gather(*consumers)))


asyncio.run(main(int(sys.argv[1])))
