# SPDX-License-Identifier: MIT
# SHOWS processes with a pool, a queue that is read before the join, a lock, a pipe and a manager, by spawn and by fork
# NEVER deadlock stuck-wait fork-with-lock-held
# RUN clean limit=120
import multiprocessing


def square(n):
    return n * n


def produce(results, lock):
    for n in range(20):
        with lock:
            results.put(n)


def main(method):
    context = multiprocessing.get_context(method)
    with context.Pool(2) as pool:
        pool.map(square, range(20))
    results = context.Queue()
    lock = context.Lock()
    children = [context.Process(target=produce, args=(results, lock)) for _ in range(2)]
    for child in children:
        child.start()
    for _ in range(40):
        results.get()
    for child in children:
        child.join()
    left, right = context.Pipe()
    left.send(1)
    right.recv()
    with context.Manager() as manager:
        manager.dict()["a"] = 1


if __name__ == "__main__":
    main("fork")
    main("spawn")
