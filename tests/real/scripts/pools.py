# SPDX-License-Identifier: MIT
"""multiprocessing in all its forms: pools of every start method, queues, shared locks, a manager. Prints what it computed."""
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor


def square(n):
    return n * n


def add(lock, value, times):
    for _ in range(times):
        with lock:
            value.value += 1


def produce(queue, n):
    for i in range(n):
        queue.put(i)
    queue.put(None)


def count_with(context, size):
    lock, value = context.Lock(), context.Value("i", 0, lock=False)
    children = [context.Process(target=add, args=(lock, value, size)) for _ in range(3)]
    for c in children:
        c.start()
    for c in children:
        c.join()
    return value.value


def drain(context, size):
    queue = context.Queue()
    child = context.Process(target=produce, args=(queue, size))
    child.start()
    total = sum(iter(queue.get, None))
    child.join()
    return total


def main(size):
    for method in ("fork", "forkserver", "spawn"):
        context = multiprocessing.get_context(method)
        with context.Pool(3) as pool:
            print(method, sum(pool.map(square, range(size))), sum(pool.imap_unordered(square, range(size), 10)))
        print(method, count_with(context, size), drain(context, size))
    with multiprocessing.Manager() as manager:
        table, lock = manager.dict(), manager.Lock()
        with ThreadPoolExecutor(3) as pool:
            def put(n):
                with lock:
                    table[n % 7] = table.get(n % 7, 0) + n
            list(pool.map(put, range(size)))
        print("manager", sorted(table.items()))
    with ProcessPoolExecutor(2) as pool:
        print("executor", sum(pool.map(square, range(size))))


if __name__ == "__main__":
    main(int(sys.argv[1]))
