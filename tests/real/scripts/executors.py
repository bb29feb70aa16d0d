# SPDX-License-Identifier: MIT
"""executors.py N - ProcessPoolExecutor with each start method, from threads and from a loop; nested pools; children that fail. Prints what it computed."""
import asyncio
import functools
import hashlib
import multiprocessing
import os
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed

ready = threading.local()


def begin(word):
    ready.word = word


def digest(n):
    return ready.word, hashlib.sha256(b"x" * n).hexdigest()[:8]


def nested(n):
    with ThreadPoolExecutor(2) as pool:
        return sum(pool.map(lambda x: x * x, range(n)))


def wrong(n):
    raise ValueError(f"on purpose {n}")


def exits(code):
    os._exit(code)


async def from_a_loop(pool, size):
    loop = asyncio.get_running_loop()
    jobs = [asyncio.create_task(asyncio.wait_for(loop.run_in_executor(pool, nested, n), 60), name=f"job-{n}") for n in range(size)]
    return sum(await asyncio.gather(*jobs))


def use(method, size):
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context, initializer=begin, initargs=(method,)) as pool:
        print(method, hashlib.sha256(repr(list(pool.map(digest, range(size), chunksize=4))).encode()).hexdigest()[:16])
        futures = [pool.submit(nested, n) for n in range(size // 4)]
        print(method, sum(f.result() for f in as_completed(futures)))
        print(method, asyncio.run(from_a_loop(pool, size // 4)))
        try:
            pool.submit(wrong, 3).result()
        except ValueError as e:
            print(method, e)
    child = context.Process(target=exits, args=(3,))
    child.start()
    child.join()
    print(method, child.exitcode)


def main(size):
    for method in ("fork", "spawn", "forkserver"):
        use(method, size)
    run = functools.partial(subprocess.run, capture_output=True, text=True, check=True)
    for flags in ([], ["-I"], ["-E", "-S"]):
        print("child", run([sys.executable, *flags, "-c", "import threading; print(threading.Lock().acquire())"]).stdout.strip())
    print("clean environment", run([sys.executable, "-c", "print(6 * 7)"], env={}).stdout.strip())


if __name__ == "__main__":
    main(int(sys.argv[1]))
