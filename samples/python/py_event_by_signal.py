# SPDX-License-Identifier: MIT
# SHOWS an idle service: its main thread waits for the Event that its handler for SIGTERM sets, its workers for work
# NEVER deadlock
# ALLOW stuck-wait
# RUN timeout=4
import queue
import signal
import threading

stop = threading.Event()
jobs = queue.Queue()


def work():
    while jobs.get() is not None:
        pass


signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
threads = [threading.Thread(target=work) for _ in range(2)]
for t in threads:
    t.start()
stop.wait()
for t in threads:
    jobs.put(None)
for t in threads:
    t.join()
