# SPDX-License-Identifier: MIT
# SHOWS a worker thread that waits for the loop with a lock held, and a coroutine that waits for the lock
# EXPECT deadlock confidence=observed threads=2 stacks=work,main says=run_coroutine_threadsafe
# ALLOW blocking-call-in-loop|loop-stall level=warning
# RUN timeout=3
import asyncio
import threading

table = threading.Lock()
taken = threading.Event()


def work(loop):
    with table:
        taken.set()
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result()


async def main():
    threading.Thread(target=work, args=(asyncio.get_running_loop(),)).start()
    taken.wait()
    with table:
        pass


asyncio.run(main())
