# SPDX-License-Identifier: MIT
# SHOWS workers that a fork server makes for a multiprocessing.Pool and that end after one job each, as asked for, while map() waits for a job that takes long
# NEVER stuck-wait deadlock
# RUN timeout=3
import multiprocessing
import time


def measure(n):
    if n == 7:
        time.sleep(60)
    return n


if __name__ == "__main__":
    with multiprocessing.get_context("forkserver").Pool(2, maxtasksperchild=1) as pool:
        print(pool.map(measure, range(8), chunksize=1))
