# SPDX-License-Identifier: MIT
# SHOWS tasks on uvloop at rest, ended by a timer, by another process through a pipe, by a child's end, and by a thread
# NEVER stuck-wait deadlock await-cycle
# ALLOW blocking-call-in-loop level=note..warning
# RUN clean
# BUILD modules=uvloop
import asyncio
import os
import threading
import time

import uvloop


async def by_timer():
    event = asyncio.Event()
    asyncio.get_running_loop().call_later(0.25, event.set)
    await event.wait()


async def by_pipe():
    event = asyncio.Event()
    r, w = os.pipe()
    loop = asyncio.get_running_loop()
    loop.add_reader(r, event.set)
    threading.Timer(0.25, os.write, (w, b"x")).start()
    await event.wait()
    loop.remove_reader(r)
    os.close(r)
    os.close(w)


async def by_child():
    child = await asyncio.create_subprocess_exec("sleep", "0.25")
    await child.wait()


async def by_thread():
    event = asyncio.Event()
    loop = asyncio.get_running_loop()

    def later():
        time.sleep(0.25)
        loop.call_soon_threadsafe(event.set)

    threading.Thread(target=later).start()
    await event.wait()


async def main():
    await by_timer()
    await by_pipe()
    await by_child()
    await by_thread()


uvloop.install()
asyncio.run(main())
