# SPDX-License-Identifier: MIT
"""multiprocessing in its three ways, and a child with an empty environment."""
import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor


def square(x):
    return x * x


def child(q, lock, value):
    with lock:
        value.value += 1
    q.put(len(q.__class__.__name__))


def main():
    for way in ("fork", "spawn", "forkserver"):
        context = multiprocessing.get_context(way)
        q, lock, value = context.Queue(), context.Lock(), context.Value("i", 0)
        processes = [context.Process(target=child, args=(q, lock, value)) for _ in range(2)]
        for p in processes:
            p.start()
        print(way, sorted(q.get(timeout=60) for _ in processes))
        for p in processes:
            p.join()
        print([p.exitcode for p in processes], value.value)
        if way != "forkserver":
            with ProcessPoolExecutor(2, mp_context=context) as pool:
                print(sum(pool.map(square, range(20))))
    code = "import os, threading, sys; print(sorted(k for k in os.environ if k not in ('LD_PRELOAD', 'THRUM_OPTIONS', 'LC_CTYPE')), threading.active_count())"
    for flags in ([], ["-I"], ["-S", "-E"]):
        print(subprocess.run([sys.executable, *flags, "-c", code], env={}, stdout=subprocess.PIPE, check=True).stdout)


if __name__ == "__main__":
    main()
