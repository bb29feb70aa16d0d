# SPDX-License-Identifier: MIT
# SHOWS a process that is joined before what it put into a queue was read: its feeder thread waits for room in the pipe
# EXPECT deadlock confidence=observed stacks=<module>,Queue._feed
# RUN timeout=8
import multiprocessing


def produce(results):
    for _ in range(200):
        results.put("x" * 4096)


if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    child = context.Process(target=produce, args=(results,))
    child.start()
    child.join()
    results.get()
