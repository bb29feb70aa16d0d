# SPDX-License-Identifier: MIT
# SHOWS tasks that fail, and every way to look at that: await, gather, a done callback, exception(), wait, and looking late
# NEVER unretrieved-exception leaked-task
# RUN clean
import asyncio

late = []


async def fail(n):
    await asyncio.sleep(0)
    raise ValueError(n)


def look(task):
    print("callback", task.exception())


async def main():
    try:
        await asyncio.create_task(fail(1))
    except ValueError as e:
        print("awaited", e)
    print(await asyncio.gather(fail(2), fail(3), return_exceptions=True))
    try:
        await asyncio.gather(fail(4), fail(5))
    except ValueError as e:
        print("gathered", e)
    task = asyncio.create_task(fail(6))
    task.add_done_callback(look)
    await asyncio.sleep(0.01)
    done, _ = await asyncio.wait([asyncio.create_task(fail(7))])
    print([t.exception() for t in done])
    late.append(asyncio.create_task(fail(8)))
    await asyncio.sleep(0.01)


asyncio.run(main())
print("late", late[0].exception())
