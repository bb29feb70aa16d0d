# SPDX-License-Identifier: MIT
# SHOWS coroutines that are kept in a list and go with it: what is known is which function they are of
# EXPECT never-awaited confidence=observed tasks=send stacks=send roles=creates
import asyncio


async def send(number):
    return number


async def main(limit):
    messages = [send(number) for number in range(3)]
    if len(messages) > limit:
        await asyncio.gather(*messages)


asyncio.run(main(10))
