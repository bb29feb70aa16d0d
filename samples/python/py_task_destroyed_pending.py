# SPDX-License-Identifier: MIT
# SHOWS a task that nobody keeps, which waits for a future that nobody keeps: both are freed in the middle of it
# EXPECT leaked-task confidence=observed tasks=wait_for_answer stacks=ask says=destroyed
import asyncio
import gc


class Request:
    def __init__(self, loop):
        self.answer = loop.create_future()


async def wait_for_answer(request):
    print(await request.answer)


def ask():
    asyncio.get_running_loop().create_task(wait_for_answer(Request(asyncio.get_running_loop())))


async def main():
    ask()
    await asyncio.sleep(0.01)
    gc.collect()
    await asyncio.sleep(0)


asyncio.run(main())
