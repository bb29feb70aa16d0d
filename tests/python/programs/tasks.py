# SPDX-License-Identifier: MIT
"""asyncio, use and misuse: results, order of steps, errors, what goes to standard error."""
import asyncio
import contextvars
import gc
import logging
import sys
import threading
import warnings

logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s %(message).60s")
warnings.simplefilter("always")
steps = []
var = contextvars.ContextVar("var", default=0)


async def worker(name, n):
    for i in range(n):
        steps.append((name, i, var.get()))
        await asyncio.sleep(0)
    return name


async def fails():
    await asyncio.sleep(0)
    raise KeyError("lost")


async def stubborn():
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError:
        return "swallowed"


async def serve():
    async def handle(reader, writer):
        writer.write(b"<" + await reader.readline())
        await writer.drain()
        writer.close()
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    answers = []
    for _ in range(3):
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello\n")
        answers.append(await reader.read())
        writer.close()
    server.close()
    return answers


async def main():
    var.set(4)
    print(await asyncio.gather(worker("a", 3), worker("b", 2), fails(), return_exceptions=True))
    t = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    t.cancel()
    print(await t, t.cancelled())
    try:
        await asyncio.wait_for(asyncio.sleep(5), 0.01)
    except asyncio.TimeoutError as e:
        print(type(e).__name__)
    queue, lock, event, condition = asyncio.Queue(1), asyncio.Lock(), asyncio.Event(), asyncio.Condition()

    async def producer():
        for i in range(5):
            await queue.put(i)
        event.set()

    async def waiter():
        async with condition:
            await condition.wait()
        return "woken"

    p, w = asyncio.ensure_future(producer()), asyncio.ensure_future(waiter())
    print([await queue.get() for _ in range(5)])
    await event.wait()
    async with condition:
        condition.notify_all()
    print(await w, await p)

    async def locked(i):
        async with lock:
            await asyncio.sleep(0.001)
            return i
    print(await asyncio.gather(*(locked(i) for i in range(10))))
    loop = asyncio.get_running_loop()
    print(await loop.run_in_executor(None, threading.active_count) > 1, await serve())
    done = loop.create_future()
    threading.Thread(target=lambda: loop.call_soon_threadsafe(done.set_result, 8)).start()
    print(await done)
    print(await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(worker("c", 1), loop)))
    loop.call_soon(lambda: 1 / 0)
    loop.call_later(0.01, steps.append, "later")
    await asyncio.sleep(0.3)
    asyncio.create_task(fails())
    worker("never awaited", 1)
    await asyncio.sleep(0.05)
    gc.collect()
    keep = asyncio.create_task(asyncio.sleep(100), name="left over")
    agen = (x async for x in ticks())
    print([x async for x in agen], keep.get_name())
    return len(steps), steps


async def ticks():
    for i in range(3):
        yield i
        await asyncio.sleep(0)


print(asyncio.run(main()))
gc.collect()
loop = asyncio.new_event_loop()
loop.create_task(worker("destroyed pending", 1))
loop.close()
del loop
gc.collect()


async def leave():
    asyncio.get_running_loop().call_soon(sys.exit, 5)
    await asyncio.sleep(1)

if sys.version_info >= (3, 11):
    async def group():
        async with asyncio.TaskGroup() as g:
            g.create_task(worker("g", 2))
            g.create_task(fails())
    try:
        asyncio.run(group())
    except BaseException as e:  # pylint: disable=broad-except
        print(repr(e))
if sys.version_info >= (3, 12):
    async def eager():
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        at_once = asyncio.create_task(asyncio.sleep(0, "x"))
        none = asyncio.create_task(worker("e", 0))
        print(none.done(), await at_once, await none)
    asyncio.run(eager())
asyncio.run(leave())
