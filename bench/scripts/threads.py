# SPDX-License-Identifier: MIT
"""threads.py ITEMS - four Python threads, a bounded queue, a lock and some arithmetic; prints a sum."""
import queue
import sys
import threading

WORKERS = 4


def worker(todo, lock, sums):
    while (n := todo.get()) is not None:
        s = sum(i * i for i in range(n % 200))
        with lock:
            sums[0] += s


def main(items):
    todo, lock, sums = queue.Queue(100), threading.Lock(), [0]
    workers = [threading.Thread(target=worker, args=(todo, lock, sums)) for _ in range(WORKERS)]
    for w in workers:
        w.start()
    for i in range(items):
        todo.put(i)
    for _ in workers:
        todo.put(None)
    for w in workers:
        w.join()
    print("items", items, "sum", sums[0])


main(int(sys.argv[1]))
