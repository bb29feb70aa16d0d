# SPDX-License-Identifier: MIT
"""trio_tree.py N - trio: nurseries in nurseries, channels, a limited crowd, timeouts, cancellation, threads, a TCP echo. Prints what came of it."""
import functools
import hashlib
import sys

import trio


async def produce(channel, start, count):
    async with channel:
        for n in range(start, start + count):
            await channel.send(n)


async def consume(channel, totals, name):
    async with channel:
        async for n in channel:
            totals.append(n)


async def channels(size):
    totals = []
    send, receive = trio.open_memory_channel(8)
    async with trio.open_nursery() as nursery:
        async with send, receive:
            for p in range(3):
                nursery.start_soon(produce, send.clone(), p * size, size, name=f"producer-{p}")
            for c in range(2):
                nursery.start_soon(consume, receive.clone(), totals, c, name=f"consumer-{c}")
    print("channels", len(totals), sum(totals))


async def crowd(size):
    limit, lock, most, now = trio.CapacityLimiter(4), trio.Lock(), [0], [0]

    async def one():
        async with limit:
            async with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            await trio.sleep(0)
            async with lock:
                now[0] -= 1

    async with trio.open_nursery() as nursery:
        for _ in range(size):
            nursery.start_soon(one)
    print("crowd", most[0], now[0])


async def cancelled():
    ended = []

    async def forever(name):
        try:
            await trio.sleep_forever()
        finally:
            ended.append(name)

    async with trio.open_nursery() as nursery:
        for n in range(5):
            nursery.start_soon(forever, n, name=f"forever-{n}")
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    with trio.move_on_after(0.01) as scope:
        await trio.Event().wait()
    print("cancelled", sorted(ended), scope.cancelled_caught)


async def threads(size):
    digests = set()

    async def one(n):
        digests.add(await trio.to_thread.run_sync(lambda: hashlib.sha256(b"%d" % n).hexdigest()))

    async with trio.open_nursery() as nursery:
        for n in range(size):
            nursery.start_soon(one, n)
    print("threads", len(digests), hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()[:16])


async def echo(size):
    async def serve(stream):
        async for data in stream:
            await stream.send_all(data)

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(functools.partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
        stream = await trio.testing.open_stream_to_socket_listener(listeners[0])
        got = 0
        for n in range(size):
            await stream.send_all(b"x" * 100)
            more = 100
            while more:
                more -= len(await stream.receive_some(more))
            got += 100
        await stream.aclose()
        nursery.cancel_scope.cancel()
    print("echo", got)


async def main(size):
    await channels(size)
    await crowd(size)
    await cancelled()
    await threads(size // 10)
    await echo(size)


if __name__ == "__main__":
    import trio.testing

    trio.run(main, int(sys.argv[1]))
