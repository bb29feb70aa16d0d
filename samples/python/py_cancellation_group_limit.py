# SPDX-License-Identifier: MIT
# SHOWS limits of time around groups and clean-up that take their time to end: on their way out, not gone on
# NEVER swallowed-cancellation leaked-task unretrieved-exception
# RUN clean
import asyncio


async def stubborn_child():
    try:
        await asyncio.sleep(5)
    finally:
        for _ in range(3):
            await asyncio.sleep(0.01)


async def group():
    async with asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(stubborn_child())


async def close_late():
    try:
        await asyncio.sleep(5)
    except asyncio.CancelledError:
        await asyncio.sleep(0.01)
        raise
    finally:
        await asyncio.sleep(0.01)


async def main():
    for work in (group, close_late):
        if work is group and not hasattr(asyncio, "TaskGroup"):
            continue
        try:
            await asyncio.wait_for(work(), 0.03)
        except asyncio.TimeoutError:
            print("late")
        if hasattr(asyncio, "timeout"):
            try:
                async with asyncio.timeout(0.03):
                    await work()
            except asyncio.TimeoutError:
                print("late again")
    await asyncio.sleep(0.01)


asyncio.run(main())
