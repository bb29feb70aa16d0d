# SPDX-License-Identifier: MIT
# SHOWS a task group that cancels the task which waits for it, because one of its own failed: nobody swallows anything
# NEVER swallowed-cancellation unretrieved-exception leaked-task
# RUN clean
import asyncio


async def fail():
    await asyncio.sleep(0.01)
    raise ValueError("broken")


async def main():
    if not hasattr(asyncio, "TaskGroup"):
        return
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            group.create_task(asyncio.sleep(5))
    except Exception as error:
        print(type(error).__name__)
    await asyncio.sleep(0.01)


asyncio.run(main())
