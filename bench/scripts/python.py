# SPDX-License-Identifier: MIT
"""python.py WORKLOAD N - one kind of work of Python programs, N times; prints what came of it."""
import asyncio
import copy
import json
import multiprocessing
import queue
import sys
import threading
from concurrent.futures import ThreadPoolExecutor


async def aio_sleep(n):
    for _ in range(n):
        await asyncio.sleep(0)
    return n


async def one():
    return 1


async def aio_task(n):
    return sum([await asyncio.create_task(one()) for _ in range(n)])


async def aio_gather(n):
    return sum([sum(await asyncio.gather(*(one() for _ in range(100)))) for _ in range(n // 100)])


async def aio_queue(n):
    there, back = asyncio.Queue(1), asyncio.Queue(1)

    async def answers():
        for _ in range(n):
            await back.put(await there.get() + 1)
    other, total = asyncio.create_task(answers()), 0
    for i in range(n):
        await there.put(i)
        total += await back.get()
    await other
    return total


async def aio_lock(n):
    lock, total = asyncio.Lock(), 0
    for i in range(n):
        async with lock:
            total += i
    return total


async def aio_lock_contended(n):
    lock, total = asyncio.Lock(), [0]

    async def worker():
        for i in range(n // 4):
            async with lock:
                total[0] += i
                await asyncio.sleep(0)
    await asyncio.gather(*(worker() for _ in range(4)))
    return total[0]


async def aio_echo(n):
    async def handle(reader, writer):
        while line := await reader.readline():
            writer.write(line)
            await writer.drain()
        writer.close()
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    total = 0
    for i in range(n):
        writer.write(b"%d\n" % i)
        await writer.drain()
        total += len(await reader.readline())
    writer.close()
    server.close()
    return total


def lock_free(n):
    lock, total = threading.Lock(), 0
    for i in range(n):
        with lock:
            total += i
    return total


def lock_contended(n):
    lock, total = threading.Lock(), [0]

    def work():
        for i in range(n // 4):
            with lock:
                total[0] += sum(range(i % 50))
    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return total[0]


def queue_pingpong(n):
    there, back = queue.Queue(), queue.Queue()

    def answers():
        for _ in range(n):
            back.put(there.get() + 1)
    t = threading.Thread(target=answers)
    t.start()
    total = 0
    for i in range(n):
        there.put(i)
        total += back.get()
    t.join()
    return total


def pool_map(n):
    with ThreadPoolExecutor(4) as pool:
        return sum(pool.map(abs, range(n)))


def send_all(q, n):
    for i in range(n):
        q.put(i)


def process_queue(n):
    q = multiprocessing.Queue()
    p = multiprocessing.Process(target=send_all, args=(q, n))
    p.start()
    total = sum(q.get() for _ in range(n))
    p.join()
    return total


def plain(n):
    record = {"name": "x" * 20, "list": list(range(30)), "nested": [{"a": i, "b": str(i)} for i in range(10)]}
    return sum(len(json.dumps(copy.deepcopy(json.loads(json.dumps(record))))) for _ in range(n))


WORKLOADS = {f.__name__: f for f in (aio_sleep, aio_task, aio_gather, aio_queue, aio_lock, aio_lock_contended, aio_echo, lock_free, lock_contended,
                                     queue_pingpong, pool_map, process_queue, plain)}

if __name__ == "__main__":
    work, count = WORKLOADS[sys.argv[1]], int(sys.argv[2])
    print(sys.argv[1], asyncio.run(work(count)) if asyncio.iscoroutinefunction(work) else work(count))
