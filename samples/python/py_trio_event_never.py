# SPDX-License-Identifier: MIT
# SHOWS a trio program whose consumers wait for an event and a channel that nobody is left to feed
# EXPECT stuck-wait confidence=observed tasks=consumer stacks=consumer says=an+event
# EXPECT stuck-wait confidence=observed tasks=reader stacks=reader says=something+in+a+queue
# RUN timeout=4
# BUILD modules=trio
import trio


async def consumer(ready):
    await ready.wait()


async def reader(receive):
    async for item in receive:
        print(item)


async def main():
    ready = trio.Event()
    send, receive = trio.open_memory_channel(1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(consumer, ready)
        nursery.start_soon(reader, receive)
    await send.aclose()


trio.run(main)
