# SPDX-License-Identifier: MIT
# SHOWS workers of a full pool that wait for work which they gave to the same pool
# EXPECT deadlock|stuck-wait confidence=observed stacks=report says=Future
# RUN timeout=4
import threading
from concurrent.futures import ThreadPoolExecutor

pool = ThreadPoolExecutor(2)
both = threading.Barrier(2)


def fetch():
    return 1


def report():
    both.wait()
    return pool.submit(fetch).result()


for future in [pool.submit(report) for _ in range(2)]:
    future.result()
