# SPDX-License-Identifier: MIT
# SHOWS a poller that is cancelled when the answer it waits for is there already, before it runs again: it takes that for a failed request, too
# EXPECT swallowed-cancellation confidence=observed tasks=poll stacks=shut_down,poll roles=signals,awaits,waits,creates
import asyncio


async def poll(answer, log):
    try:
        log.append(await answer)
    except BaseException:
        log.append("failed")
    await asyncio.sleep(0.01)
    return log


async def shut_down(task, answer):
    answer.set_result("ready")
    task.cancel()
    return await task


async def main():
    answer = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(poll(answer, []))
    await asyncio.sleep(0)
    print(await shut_down(task, answer))


asyncio.run(main())
