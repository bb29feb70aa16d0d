# SPDX-License-Identifier: MIT
# SHOWS tasks that are no leak when the loop ends: a heartbeat, a kept worker, one that is cancelled, one that is awaited
# NEVER leaked-task unbounded-tasks
# RUN clean
import asyncio

background = set()


async def heartbeat():
    while True:
        await asyncio.sleep(0.01)


async def work(queue):
    while True:
        item = await queue.get()
        await asyncio.sleep(0)
        queue.task_done()


async def job():
    await asyncio.sleep(0.02)


async def main():
    asyncio.create_task(heartbeat())
    queue = asyncio.Queue()
    worker = asyncio.create_task(work(queue))
    background.add(worker)
    worker.add_done_callback(background.discard)
    cancelled = asyncio.create_task(job())
    await asyncio.gather(job(), job())
    for i in range(5):
        queue.put_nowait(i)
    await queue.join()
    cancelled.cancel()
    await asyncio.sleep(0)


asyncio.run(main())
