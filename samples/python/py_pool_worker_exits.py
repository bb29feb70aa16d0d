# SPDX-License-Identifier: MIT
# SHOWS a job of a multiprocessing.Pool that ends its process: close() and join() wait for ever
# EXPECT stuck-wait confidence=observed stacks=finish
# RUN timeout=6
import multiprocessing
import os


def measure(n):
    if n == 3:
        os._exit(2)
    return n


def finish(pool):
    pool.close()
    pool.join()


if __name__ == "__main__":
    workers = multiprocessing.get_context("fork").Pool(2)
    workers.map_async(measure, range(6), chunksize=1)
    finish(workers)
