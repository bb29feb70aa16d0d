# SPDX-License-Identifier: MIT
# SHOWS the clean twin of py_pool_own_queue: the inner work has a pool of its own; and pools that are idle or shut down
# NEVER deadlock stuck-wait leaked-thread leaked-task
# RUN clean
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed

pool = ThreadPoolExecutor(2)
inner = ThreadPoolExecutor(2)
both = threading.Barrier(2)


def fetch():
    return 1


def report():
    both.wait()
    return inner.submit(fetch).result()


for future in [pool.submit(report) for _ in range(2)]:
    future.result()
with ThreadPoolExecutor(3) as other:
    sum(other.map(abs, range(50)))
    for future in as_completed([other.submit(abs, n) for n in range(10)]):
        future.result()
pool.shutdown()
timer = threading.Timer(600, print)
timer.start()
timer.cancel()
