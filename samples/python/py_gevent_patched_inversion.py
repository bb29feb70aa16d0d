# SPDX-License-Identifier: MIT
# SHOWS two greenlets of a program that gevent patched that take two locks of threading in two orders, at different times
# EXPECT lock-order-inversion confidence=potential tasks=forth,back stacks=forth,back
# NEVER deadlock stuck-wait
# BUILD modules=gevent
from gevent import monkey

monkey.patch_all()

import threading

import gevent

accounts, audit = threading.Lock(), threading.Lock()


def forth():
    with accounts:
        gevent.sleep(0.001)
        with audit:
            gevent.sleep(0.001)


def back():
    with audit:
        gevent.sleep(0.001)
        with accounts:
            gevent.sleep(0.001)


for work in (forth, back):
    gevent.spawn(work).join()
