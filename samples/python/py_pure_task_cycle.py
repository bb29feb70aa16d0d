# SPDX-License-Identifier: MIT
# SHOWS tasks of asyncio's class that is written in Python, by a task factory: two await each other, one failed unseen, one waits for nobody
# EXPECT await-cycle confidence=observed tasks=parse,check stacks=parse,check
# EXPECT unretrieved-exception confidence=observed tasks=fail stacks=fail
# EXPECT leaked-task confidence=observed tasks=wait_for_answer says=destroyed
# RUN timeout=3
import asyncio
import gc

tasks = {}


async def parse():
    await asyncio.sleep(0)
    return await tasks["check"]


async def check():
    return await asyncio.gather(tasks["parse"])


async def fail():
    raise ValueError("nobody looks")


async def wait_for_answer(answer):
    await answer


def make_lonely(loop):
    loop.create_task(wait_for_answer(loop.create_future()))


async def main():
    loop = asyncio.get_running_loop()
    loop.set_task_factory(lambda loop, coro, **kw: asyncio.tasks._PyTask(coro, loop=loop, **kw))
    loop.create_task(fail())
    make_lonely(loop)
    await asyncio.sleep(0.01)
    gc.collect()
    for step in (parse, check):
        tasks[step.__name__] = asyncio.create_task(step())
    await asyncio.wait(tasks.values())


asyncio.run(main())
