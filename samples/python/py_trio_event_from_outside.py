# SPDX-License-Identifier: MIT
# SHOWS tasks of trio at rest, ended by a deadline, by a thread, by a child's end and by a signal
# NEVER stuck-wait deadlock await-cycle
# RUN clean
# BUILD modules=trio
import os
import signal
import threading
import time

import trio


async def by_deadline():
    with trio.move_on_after(0.25):
        await trio.Event().wait()


async def by_thread():
    event = trio.Event()
    token = trio.lowlevel.current_trio_token()

    def later():
        time.sleep(0.25)
        trio.from_thread.run_sync(event.set, trio_token=token)

    threading.Thread(target=later).start()
    await event.wait()


async def by_worker():
    await trio.to_thread.run_sync(time.sleep, 0.25)


async def by_child():
    await trio.run_process(["sleep", "0.25"])


async def by_signal():
    event = trio.Event()

    async def listen():
        with trio.open_signal_receiver(signal.SIGUSR1) as signals:
            async for _ in signals:
                event.set()
                break

    async with trio.open_nursery() as nursery:
        nursery.start_soon(listen)
        threading.Timer(0.25, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        await event.wait()


async def main():
    await by_deadline()
    await by_thread()
    await by_worker()
    await by_child()
    await by_signal()


trio.run(main)
