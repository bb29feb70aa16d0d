# SPDX-License-Identifier: MIT
# FEASIBLE a Lock and an RLock of Python's, by two threads one after the other; the Lock once by a call with a timeout
import os
import threading
import time

first, second = threading.Lock(), threading.RLock()


over = []


def is_asleep(thread):
    try:
        with open(f"/proc/self/task/{thread.native_id}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].startswith(" S")
    except OSError:  # it has ended
        return False


def wait(thread, count):
    """Until so many are over, or it sleeps for long: see confirm.h. Not by is_alive(): that would be an order."""
    asleep = 0
    while len(over) < count and asleep < 40:
        asleep = asleep + 1 if is_asleep(thread) else 0
        time.sleep(0.001)


def forth():
    if first.acquire(timeout=60):
        with second:
            pass
        first.release()
    over.append(forth)


def back():
    with second:
        first.acquire()
        first.release()
    over.append(back)


threads = [threading.Thread(target=forth), threading.Thread(target=back)]
for number, t in enumerate(threads):
    t.start()
    wait(t, number + 1)
for t in threads:
    t.join()
os.write(1, b"over\n")
