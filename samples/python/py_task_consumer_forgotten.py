# SPDX-License-Identifier: MIT
# SHOWS each request makes a task that takes from a queue of its own, and nobody keeps either: the collector of cycles finds them, and a freed task gets one more step
# EXPECT leaked-task confidence=observed tasks=Notifier.send_all stacks=answer roles=creates says=destroyed
# NEVER unretrieved-exception
import asyncio
import gc


class Notifier:
    def __init__(self):
        self.queue = asyncio.Queue()

    async def send_all(self):
        while True:
            await self.queue.get()


async def answer():
    notifier = Notifier()
    asyncio.create_task(notifier.send_all())
    await notifier.queue.put("thanks")
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def main():
    for _ in range(20):
        await answer()
    gc.collect()
    await asyncio.sleep(0)
    await asyncio.sleep(0)


asyncio.run(main())
