# SPDX-License-Identifier: MIT
"""Recursion to its limit, with and without locks and tasks in between."""
import asyncio
import sys
import threading

lock = threading.RLock()


def plain(n):
    try:
        return plain(n + 1)
    except RecursionError:
        return n


def locked(n):
    try:
        with lock:
            return locked(n + 1)
    except RecursionError:
        return n


async def awaited(n):
    try:
        return await awaited(n + 1)
    except RecursionError:
        return n


async def main():
    return await asyncio.create_task(awaited(0))


print(plain(0), locked(0), asyncio.run(main()))
sys.setrecursionlimit(200)
print(plain(0), locked(0), asyncio.run(main()))


def callbacks():
    loop = asyncio.new_event_loop()
    depth = []
    loop.call_soon(lambda: depth.append(plain(0)))
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    return depth


print(callbacks())
sys.setrecursionlimit(20000)
threading.stack_size(256 << 20)
result = []
t = threading.Thread(target=lambda: result.append(locked(0)))
t.start()
t.join()
print(result)
