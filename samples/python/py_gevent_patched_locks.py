# SPDX-License-Identifier: MIT
# SHOWS locks of a program that gevent patched, taken by `with`, by acquire() and twice by an RLock, each given back before the next one is taken; then all of it by the main greenlet
# NEVER deadlock stuck-wait lock-order-inversion
# RUN clean
# BUILD modules=gevent
from gevent import monkey

monkey.patch_all()

import threading

import gevent

accounts, audit, journal = threading.Lock(), threading.Lock(), threading.RLock()


def forth():
    with accounts:
        gevent.sleep(0.001)
    with audit:
        gevent.sleep(0.001)
    with journal:
        with journal:
            gevent.sleep(0.001)


def back():
    journal.acquire()
    journal.release()
    audit.acquire()
    gevent.sleep(0.001)
    audit.release()
    with audit:
        gevent.sleep(0.001)
    if accounts.acquire(timeout=5):
        accounts.release()
    with accounts:
        pass


gevent.joinall([gevent.spawn(work) for work in (forth, back) * 5])
forth()
back()
workers = [threading.Thread(target=work) for work in (back, forth)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
