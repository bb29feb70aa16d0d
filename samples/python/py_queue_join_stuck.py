# SPDX-License-Identifier: MIT
# SHOWS a queue that is never done: the worker forgets task_done() for what it skips, and join() waits for ever
# EXPECT stuck-wait confidence=observed tasks=main stacks=drain count=1
# RUN timeout=3
import asyncio


async def work(queue):
    while True:
        item = await queue.get()
        if item % 2:
            continue
        queue.task_done()


async def drain(queue):
    await queue.join()


async def main():
    queue = asyncio.Queue()
    workers = [asyncio.create_task(work(queue)) for _ in range(2)]
    for i in range(4):
        queue.put_nowait(i)
    await drain(queue)
    for worker in workers:
        worker.cancel()


asyncio.run(main())
