# SPDX-License-Identifier: MIT
# SHOWS a Queue.join() that cannot end: the worker forgets task_done() for an item that it skips
# EXPECT stuck-wait|deadlock confidence=observed stacks=<module> locks=jobs.all_tasks_done says=queue.Queue
# RUN timeout=4
import queue
import threading

jobs = queue.Queue()


def work():
    while True:
        item = jobs.get()
        if item == 3:
            continue
        jobs.task_done()


threading.Thread(target=work, daemon=True).start()
for n in range(6):
    jobs.put(n)
jobs.join()
