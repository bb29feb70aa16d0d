# SPDX-License-Identifier: MIT
# SHOWS objects that go from thread to thread: through a queue, a SimpleQueue, a deque, an Event, a Future, a Condition, a join
# NEVER data-race atomicity-violation deadlock lock-order-inversion leaked-thread
# RUN options=--python-races clean
import queue
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor


class Job:
    def __init__(self):
        self.steps = 0

    def step(self):
        for _ in range(20):
            self.steps += 1


def through_queue(make):
    there, back = make(), make()

    def worker():
        for _ in range(5):
            job = there.get()
            job.step()
            back.put(job)

    t = threading.Thread(target=worker)
    t.start()
    job = Job()
    for _ in range(5):
        job.step()
        there.put(job)
        job = back.get()
    t.join()
    job.step()


def through_deque():
    there, job = deque(), Job()

    def worker():
        while True:
            try:
                there.popleft().step()
                return
            except IndexError:
                time.sleep(0.001)

    t = threading.Thread(target=worker)
    t.start()
    job.step()
    there.append(job)
    t.join()
    job.step()


def through_event():
    ready, done, job = threading.Event(), threading.Event(), Job()

    def worker():
        ready.wait()
        job.step()
        done.set()

    t = threading.Thread(target=worker)
    t.start()
    job.step()
    ready.set()
    done.wait()
    job.step()
    t.join()


def through_future():
    with ThreadPoolExecutor(2) as pool:
        job = Job()
        for _ in range(5):
            job.step()
            pool.submit(job.step).result()
            job.step()


def through_condition():
    turn, whose, job = threading.Condition(), [0], Job()

    def player(me):
        for _ in range(5):
            with turn:
                turn.wait_for(lambda: whose[0] == me)
            job.step()
            with turn:
                whose[0] = 1 - me
                turn.notify_all()

    threads = [threading.Thread(target=player, args=(n,)) for n in (0, 1)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    job.step()


through_queue(queue.Queue)
through_queue(queue.SimpleQueue)
through_queue(queue.LifoQueue)
through_deque()
through_event()
through_future()
through_condition()
