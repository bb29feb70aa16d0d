# SPDX-License-Identifier: MIT
# SHOWS cancellations that come through: passed on, tidied up in finally, limits of time, shield, and one that comes too late
# NEVER swallowed-cancellation
# RUN clean
import asyncio


async def pass_on():
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        await asyncio.sleep(0)
        raise


async def tidy_up():
    try:
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0.01)


async def limited():
    for _ in range(3):
        try:
            await asyncio.wait_for(asyncio.sleep(60), 0.01)
        except asyncio.TimeoutError:
            pass
    return "limited"


async def short():
    await asyncio.sleep(0)
    return "short"


async def shielded(inner):
    try:
        await asyncio.shield(inner)
    except asyncio.CancelledError:
        print(await inner)
        raise


async def main():
    inner = asyncio.create_task(limited())
    tasks = [asyncio.create_task(f()) for f in (pass_on, tidy_up)]
    tasks.append(asyncio.create_task(shielded(inner)))
    await asyncio.sleep(0.02)
    for task in tasks:
        task.cancel()
    for task in tasks:
        try:
            await task
        except asyncio.CancelledError:
            print("cancelled")
    done = asyncio.create_task(short())
    await done
    print(done.cancel(), done.result())
    print(await limited())


asyncio.run(main())
