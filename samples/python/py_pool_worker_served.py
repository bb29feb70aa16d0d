# SPDX-License-Identifier: MIT
# SHOWS a worker that a fork server made for a multiprocessing.Pool, and that a signal ends while it has a job: map() waits for ever
# EXPECT stuck-wait confidence=observed stacks=total roles=waits,creates
# RUN timeout=6
import multiprocessing
import os
import signal


def measure(n):
    if n == 3:
        os.kill(os.getpid(), signal.SIGKILL)  # as the kernel does when memory runs out
    return n


def total(pool):
    return sum(pool.map(measure, range(6), chunksize=1))


if __name__ == "__main__":
    with multiprocessing.get_context("forkserver").Pool(2) as workers:
        print(total(workers))
