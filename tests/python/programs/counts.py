# SPDX-License-Identifier: MIT
"""Objects and references are as many as without a recorder."""
import asyncio
import gc
import sys
import threading
import weakref


async def one(lock):
    async with lock:
        await asyncio.sleep(0)


async def main():
    lock = asyncio.Lock()
    tasks = [asyncio.create_task(one(lock)) for _ in range(10)]
    await asyncio.gather(*tasks)
    await asyncio.sleep(0.25)  # long enough for a look at what tasks wait for
    task = asyncio.create_task(asyncio.sleep(0.3))
    await asyncio.sleep(0)
    print("references", sys.getrefcount(lock), [sys.getrefcount(t) for t in tasks], sys.getrefcount(task), sys.getrefcount(task._coro))
    await task
    print("references", sys.getrefcount(task))
    dead = weakref.ref(task)
    del task
    gc.collect()
    print("gone", dead() is None, len(asyncio.all_tasks()))


asyncio.run(main())
gc.collect()
lock, rlock = threading.Lock(), threading.RLock()
print("references", sys.getrefcount(lock), sys.getrefcount(rlock), sys.getrefcount(lock.acquire), sys.getrefcount(None) > 0)
before = len(gc.get_objects())
for _ in range(1000):
    with lock, rlock:
        threading.Event().set()
    condition = threading.Condition()
    with condition:
        condition.notify_all()
asyncio.run(main())
gc.collect()
print("grown by", len(gc.get_objects()) - before)
for kind in (threading.Lock, threading.RLock):
    o = kind()
    ref = weakref.ref(o)
    print(type(o), ref() is o, hash(o) == hash(o), o != kind())
    del o
    print(ref())
