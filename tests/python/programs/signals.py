# SPDX-License-Identifier: MIT
"""A signal's handler raises where the main thread waits."""
import os
import queue
import select
import signal
import subprocess
import sys
import threading
import time


class Rung(Exception):
    pass


def ring(number, frame):
    raise Rung(frame.f_code.co_name)


def main():
    signal.signal(signal.SIGALRM, ring)
    lock, event, condition, q = threading.Lock(), threading.Event(), threading.Condition(), queue.Queue()
    r, _ = os.pipe()
    lock.acquire()
    sleeper = threading.Thread(target=time.sleep, args=(0.8,))
    sleeper.start()
    waits = [lock.acquire, event.wait, q.get, sleeper.join, lambda: lock.acquire(timeout=5), lambda: time.sleep(5), lambda: select.select([r], [], [], 5),
             lambda: os.read(r, 1), lambda: q.get(timeout=5), lambda: subprocess.run(["sleep", "0.5"], check=False)]
    for wait in waits:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        started = time.monotonic()
        try:
            print("came back", wait() and False)
        except Rung as e:
            print("rung", e if "alrm" in str(e) else "", time.monotonic() - started < 4)
    with condition:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        try:
            condition.wait()
        except Rung:
            print("rung in wait", condition._is_owned())
    signal.signal(signal.SIGALRM, lambda *a: None)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    print(lock.acquire(timeout=0.2), event.wait(0.1))
    sleeper.join()
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    lock.acquire()


try:
    main()
except KeyboardInterrupt:
    print("interrupted")
if len(sys.argv) > 1:
    os.kill(os.getpid(), signal.SIGTERM)
os.kill(os.getpid(), signal.SIGINT)
time.sleep(1)
