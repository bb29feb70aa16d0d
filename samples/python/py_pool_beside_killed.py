# SPDX-License-Identifier: MIT
# SHOWS a process of a fork server that is killed and is no worker of the pool, whose map() waits for a job that takes long
# NEVER stuck-wait deadlock
# RUN timeout=4
import multiprocessing
import os
import signal
import time


def measure(n):
    if n == 3:
        time.sleep(60)
    return n


def dies():
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    context = multiprocessing.get_context("forkserver")
    other = context.Process(target=dies)
    with context.Pool(2) as pool:
        result = pool.map_async(measure, range(6), chunksize=1)
        other.start()
        other.join()
        print(result.get())
