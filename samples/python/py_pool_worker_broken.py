# SPDX-License-Identifier: MIT
# SHOWS a worker of concurrent.futures that a signal ends: the executor says so, and the program goes on
# NEVER stuck-wait deadlock
# RUN clean
import concurrent.futures
import concurrent.futures.process
import multiprocessing
import os
import signal


def measure(n):
    if n == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return n


if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        try:
            print(sum(pool.map(measure, range(6))))
        except concurrent.futures.process.BrokenProcessPool:
            print("a worker was lost")
