# SPDX-License-Identifier: MIT
# SHOWS the clean twin of py_queue_join, with idle daemon consumers at the end
# NEVER deadlock stuck-wait leaked-thread
# RUN clean
import queue
import threading

jobs = queue.Queue()
results = queue.SimpleQueue()


def work():
    while True:
        item = jobs.get()
        try:
            if item == 3:
                continue
            results.put(item)
        finally:
            jobs.task_done()


for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
for n in range(30):
    jobs.put(n)
jobs.join()
for _ in range(29):
    results.get()
