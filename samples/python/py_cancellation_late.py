# SPDX-License-Identifier: MIT
# SHOWS tasks that are cancelled when what they wait for is there already: one passes it on, one gives the answer that it had (wait_for), one has a limit of time around
# NEVER swallowed-cancellation
# RUN clean
import asyncio


async def pass_on(answer):
    try:
        return await answer
    finally:
        await asyncio.sleep(0)


async def keep_answer(answer):
    return await asyncio.wait_for(answer, 60)


async def limited(answer):
    try:
        async with asyncio.timeout(60) as limit:
            limit.reschedule(0)
            await asyncio.shield(answer)
    except TimeoutError:
        return "late"


async def cancel_when_done(worker):
    answer = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(worker(answer))
    await asyncio.sleep(0)
    answer.set_result("ready")
    if worker is not limited:
        task.cancel()
    try:
        return await task
    except asyncio.CancelledError:
        return "cancelled"


async def main():
    for worker in pass_on, keep_answer, limited:
        await cancel_when_done(worker)


asyncio.run(main())
