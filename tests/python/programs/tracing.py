# SPDX-License-Identifier: MIT
"""Trace and profile functions, tracemalloc, faulthandler: they see what they see without a recorder."""
import asyncio
import collections
import faulthandler
import os
import sys
import tempfile
import threading
import tracemalloc


async def inner(lock):
    async with lock:
        await asyncio.sleep(0)


async def main():
    lock = asyncio.Lock()
    await asyncio.gather(*(inner(lock) for _ in range(3)))
    await asyncio.sleep(0.25)


def threads():
    lock = threading.RLock()
    with lock:
        t = threading.Thread(target=lock.acquire, args=(False,))
        t.start()
        t.join()
    threading.Event().wait(0.01)


def watch(setter):
    seen = collections.Counter()

    def note(frame, event, arg):
        name = getattr(arg, "__qualname__", "") if event.startswith("c_") else frame.f_code.co_name
        if "asyncio" in frame.f_code.co_filename or "threading" in frame.f_code.co_filename or __file__ == frame.f_code.co_filename:
            seen[event, name] += 1
        return note
    setter(note)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(main())
    threads()
    setter(None)
    loop.close()
    return sorted((k, v) for k, v in seen.items() if k[1] in (
        "_run", "run_forever", "call_soon_threadsafe", "close", "inner", "main", "acquire", "Lock.acquire", "RLock.acquire", "lock.acquire",
        "_thread.lock.acquire", "__enter__", "Condition.wait", "wait", "join"))


print(*watch(sys.settrace), sep="\n")
print(*watch(sys.setprofile), sep="\n")
tracemalloc.start(5)
asyncio.run(main())
threads()
snapshot = tracemalloc.take_snapshot()
print(len(snapshot.traces) > 0, {os.path.basename(s.traceback[0].filename) for s in snapshot.statistics("filename")} & {"nowhere"})
tracemalloc.stop()
with tempfile.TemporaryFile("w+") as f:
    async def dump():
        await asyncio.sleep(0)
        lock = threading.Lock()
        with lock:
            faulthandler.dump_traceback(f)
    asyncio.run(dump())
    f.seek(0)
    print([line.split('"')[-1].strip() for line in f if "line" in line])
lock = threading.Lock()
lock.acquire()
with tempfile.TemporaryFile("w+") as f:
    faulthandler.dump_traceback_later(0.1, file=f)
    lock.acquire(timeout=0.4)
    f.seek(0)
    print([line.split('"')[-1].strip() for line in f if "line" in line and "in" in line])
print([len(sys._current_frames())])
