# SPDX-License-Identifier: MIT
# SHOWS a synchronous interface over a coroutine, called on the very loop that would have to run it
# EXPECT deadlock confidence=observed stacks=sync_api,handle says=run_coroutine_threadsafe
# ALLOW blocking-call-in-loop|loop-stall level=warning
# RUN timeout=3
import asyncio


async def work():
    return 1


def sync_api(loop):
    return asyncio.run_coroutine_threadsafe(work(), loop).result()


async def handle():
    return sync_api(asyncio.get_running_loop())


asyncio.run(handle())
