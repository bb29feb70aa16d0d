# SPDX-License-Identifier: MIT
# SHOWS work that a pool throws away when it is shut down, and work that was cancelled: no leak, and a daemon thread at work
# NEVER deadlock stuck-wait leaked-task
# ALLOW leaked-thread
# RUN clean
import threading
import time
from concurrent.futures import ThreadPoolExecutor

begun = threading.Event()
go_on = threading.Event()


def work():
    begun.set()
    go_on.wait()


def beat():
    while True:
        time.sleep(0.001)


threading.Thread(target=beat, daemon=True).start()
pool = ThreadPoolExecutor(1)
first = pool.submit(work)
begun.wait()
later = [pool.submit(work) for _ in range(5)]
later[0].cancel()
for future in later:
    future.cancel()
pool.shutdown(wait=False)
go_on.set()
first.result()
