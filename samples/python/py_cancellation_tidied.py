# SPDX-License-Identifier: MIT
# SHOWS a service loop that takes its cancellation as the word to close down, and returns: common, and no more than a note
# ALLOW swallowed-cancellation
# NEVER leaked-task
# RUN clean
import asyncio


async def serve(queue):
    try:
        while True:
            print(await queue.get())
    except asyncio.CancelledError:
        await asyncio.sleep(0.01)
        print("closed")


async def main():
    queue = asyncio.Queue()
    task = asyncio.create_task(serve(queue))
    await queue.put("request")
    await asyncio.sleep(0.01)
    task.cancel()
    await task


asyncio.run(main())
