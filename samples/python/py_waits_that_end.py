# SPDX-License-Identifier: MIT
# SHOWS waits that look stuck while the loop rests, and are not: a limit of time, a timer, a thread, a peer on a socket
# ALLOW lock-order-inversion
# NEVER deadlock stuck-wait await-cycle self-deadlock leaked-task
# RUN clean
import asyncio
import threading


async def hold(lock, other):
    async with lock:
        await asyncio.sleep(0)
        try:
            await asyncio.wait_for(other.acquire(), 0.3)
            other.release()
        except asyncio.TimeoutError:
            pass


async def by_thread():
    loop, event = asyncio.get_running_loop(), asyncio.Event()
    timer = threading.Timer(0.3, loop.call_soon_threadsafe, [event.set])
    timer.start()
    await event.wait()
    timer.join()


async def by_peer():
    answered = asyncio.get_running_loop().create_future()

    async def serve(reader, writer):
        await reader.readline()
        writer.close()
        answered.set_result(True)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
    asyncio.get_running_loop().call_later(0.3, writer.write, b"hello\n")
    await answered
    writer.close()
    server.close()


async def main():
    a, b = asyncio.Lock(), asyncio.Lock()
    await asyncio.gather(hold(a, b), hold(b, a))
    await by_thread()
    await by_peer()


asyncio.run(main())
