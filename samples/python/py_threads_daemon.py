# SPDX-License-Identifier: MIT
# SHOWS daemon threads that are meant to die with the process: workers of one queue, one with a queue of its own each, a ticker
# NEVER leaked-thread deadlock stuck-wait
# RUN clean
import queue
import threading
import time

shared = queue.Queue()
stop = threading.Event()


def work(jobs):
    while True:
        jobs.get()()
        jobs.task_done()


def tick():
    while not stop.wait(0.01):
        pass


own = [queue.Queue() for _ in range(3)]
for jobs in own:
    threading.Thread(target=work, args=(jobs,), daemon=True).start()
for _ in range(3):
    threading.Thread(target=work, args=(shared,), daemon=True).start()
threading.Thread(target=tick, daemon=True).start()
threading.Thread(target=stop.wait, daemon=True).start()
time.sleep(0.05)
for jobs in [shared, *own]:
    for _ in range(3):
        jobs.put(lambda: None)
    jobs.join()
