# SPDX-License-Identifier: MIT
# SHOWS asynchronous generators that are left in the middle: asyncio closes them in tasks of its own, the last of them when its loop ends already
# NEVER leaked-task swallowed-cancellation unretrieved-exception
# RUN clean
import asyncio


async def rows(log):
    try:
        for number in range(3):
            await asyncio.sleep(0)
            yield number
    finally:
        await asyncio.sleep(0.03)
        log.append("closed")


async def first(log):
    async for row in rows(log):
        return row


async def main():
    log = []
    print(await first(log))
    while not log:
        await asyncio.sleep(0.01)
    print(log, await first(log))


asyncio.run(main())
