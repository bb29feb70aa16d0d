# SPDX-License-Identifier: MIT
# SHOWS asyncio's Task replaced by the one that is written in Python, and classes that build on it: all of them end, and nothing is said
# NEVER await-cycle leaked-task unretrieved-exception swallowed-cancellation never-awaited
# RUN clean
import asyncio
import gc

Task = asyncio.tasks._PyTask


class WithoutDel(Task):
    def __del__(self):
        pass


class Watched(Task):
    def __getattribute__(self, name):
        return super().__getattribute__(name)


class Named(Task):
    def __init__(self, coro, **kw):
        super().__init__(coro, **kw)
        self.made_here = True

    def ping(self):
        return self.made_here


async def work(n):
    await asyncio.sleep(0.001)
    return n


async def patient():
    await asyncio.sleep(60)


async def main(kind):
    loop = asyncio.get_running_loop()
    loop.set_task_factory(lambda loop, coro, **kw: kind(coro, loop=loop))
    for _ in range(3):
        await asyncio.gather(*(work(i) for i in range(20)))
    task = loop.create_task(patient())
    await asyncio.sleep(0.2)
    if kind is Named:
        loop.call_soon(task.ping)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass


for kind in (Task, WithoutDel, Watched, Named):
    asyncio.run(main(kind))
    gc.collect()
asyncio.Task = asyncio.tasks.Task = Task
asyncio.Future = asyncio.futures.Future = asyncio.futures._PyFuture
asyncio.run(main(Task))
