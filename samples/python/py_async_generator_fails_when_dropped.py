# SPDX-License-Identifier: MIT
# SHOWS an asynchronous generator that is left in the middle, and whose clean-up fails where nobody sees it
# EXPECT unretrieved-exception confidence=observed stacks=rows lines=raise+OSError
import asyncio


async def rows():
    try:
        for number in range(3):
            await asyncio.sleep(0)
            yield number
    finally:
        raise OSError("the cursor is gone")


async def first():
    async for row in rows():
        return row


async def main():
    print(await first())
    await asyncio.sleep(0.01)


asyncio.run(main())
