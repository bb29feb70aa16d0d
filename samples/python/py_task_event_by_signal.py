# SPDX-License-Identifier: MIT
# SHOWS a service whose task waits for SIGTERM, by a handler of its own: it is at rest, not stuck
# NEVER stuck-wait deadlock await-cycle
# RUN clean timeout=3 status=any
import asyncio
import signal


async def main():
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    signal.signal(signal.SIGTERM, lambda *_: loop.call_soon_threadsafe(stop.set))
    await stop.wait()


asyncio.run(main())
