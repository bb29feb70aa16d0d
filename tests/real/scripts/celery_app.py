# SPDX-License-Identifier: MIT
"""A celery application, its broker and results on the redis of REDIS_PORT. As a program: celery_app.py N sends tasks and prints their results."""
import hashlib
import os
import sys
import threading
import time

import celery

URL = f"redis://127.0.0.1:{os.environ['REDIS_PORT']}/0"
app = celery.Celery("celery_app", broker=URL, backend=URL)
app.conf.update(worker_hijack_root_logger=False, task_acks_late=True, broker_connection_retry=False, redis_socket_timeout=20)
totals, totals_lock = {}, threading.Lock()


@app.task
def add(a, b):
    return a + b


@app.task
def digest(n):
    with totals_lock:
        totals[n % 7] = totals.get(n % 7, 0) + 1
    return hashlib.sha256(b"x" * n).hexdigest()


@app.task
def nap(seconds):
    time.sleep(seconds)
    return "awake"


@app.task(bind=True, max_retries=3)
def third_time(self):
    if self.request.retries < 2:
        raise self.retry(countdown=0)
    return self.request.retries


@app.task
def wrong():
    raise ValueError("on purpose")


def send(count):
    sums = [add.delay(n, n) for n in range(count)]
    print("add", sum(r.get(timeout=60) for r in sums))
    digests = celery.group(digest.s(n) for n in range(count // 4))().get(timeout=60)
    print("digest", hashlib.sha256("".join(digests).encode()).hexdigest()[:16])
    print("chain", celery.chain(add.s(1, 2), add.s(3), add.s(4))().get(timeout=60))
    print("chord", celery.chord([add.s(n, 1) for n in range(10)])(total.s()).get(timeout=60))
    print("nap", nap.delay(0.01).get(timeout=60), third_time.delay().get(timeout=60))
    try:
        wrong.delay().get(timeout=60)
    except ValueError as e:
        print("wrong", e)


@app.task
def total(numbers):
    return sum(numbers)


if __name__ == "__main__":
    send(int(sys.argv[1]))
