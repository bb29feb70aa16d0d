# SPDX-License-Identifier: MIT
# SHOWS greenlets that take two locks in one order, wait for each other's, give one up when its time is over, and share a semaphore
# NEVER deadlock stuck-wait await-cycle leaked-task
# ALLOW lock-order-inversion
# RUN clean
# BUILD modules=gevent
import gevent
from gevent.event import AsyncResult, Event
from gevent.lock import BoundedSemaphore, Semaphore
from gevent.queue import JoinableQueue


def book(accounts, audit, few):
    with few, accounts:
        gevent.sleep(0.001)
        with audit:
            gevent.sleep(0.001)


def impatient(mine, others):
    with mine:
        gevent.sleep(0.05)
        others.acquire(timeout=0.3)


def limited(mine, others):
    with mine:
        gevent.sleep(0.05)
        with gevent.Timeout(0.3, False):
            with others:
                pass


def work(queue, done, result):
    for n in queue:
        queue.task_done()
        if n == 3:
            done.set()
            result.set(n)
            return


accounts, audit, few = Semaphore(), BoundedSemaphore(), Semaphore(3)
gevent.joinall([gevent.spawn(book, accounts, audit, few) for _ in range(6)])
left, right = Semaphore(), Semaphore()
gevent.joinall([gevent.spawn(impatient, left, right), gevent.spawn(limited, right, left)])
queue, done, result = JoinableQueue(), Event(), AsyncResult()
worker = gevent.spawn(work, queue, done, result)
gevent.sleep(0.25)
for n in range(4):
    queue.put(n)
queue.join()
done.wait()
print(result.get())
worker.join()
