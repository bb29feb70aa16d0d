# SPDX-License-Identifier: MIT
"""An interpreter that ends while daemon threads are in locks, with finalisers and exit functions that use some."""
import _thread
import asyncio
import atexit
import queue
import select
import sys
import threading
import time

lock, q = threading.Lock(), queue.Queue()
inner = _thread.allocate_lock()


class Late:
    def __init__(self, name):
        self.name, self.lock, self.rlock = name, threading.Lock(), threading.RLock()
        self.cycle = self
        self.write, self.allocate, self.condition = sys.stdout.write, _thread.allocate_lock, threading.Condition()

    def __del__(self):
        with self.lock, self.rlock, self.condition, self.allocate():
            self.condition.notify_all()
            self.write(self.name + " finalised\n")
        raise ValueError(self.name)


def busy():
    while True:
        lock.acquire(timeout=0.001)
        with inner:
            pass


def polls():
    while True:
        select.select([], [], [], 0.0005)


def sleeps():
    while True:
        time.sleep(0.0005)
        threading.Event().wait(0.0005)


for target in (lock.acquire, q.get, busy, busy, polls, sleeps, threading.Event().wait, lambda: asyncio.run(asyncio.sleep(100)),
               lambda: input() if False else time.sleep(100)):
    threading.Thread(target=target, daemon=True).start()


@atexit.register
def at_exit():
    with threading.Lock():
        asyncio.run(asyncio.sleep(0))
        print("atexit")


def other():
    time.sleep(0.05)
    with threading.RLock():
        print("not daemonic")


threading.Thread(target=other).start()
late = Late("cycle")
sys.modules["late"] = Late("module")
time.sleep(0.05)
if len(sys.argv) > 1:
    raise SystemExit("said")
