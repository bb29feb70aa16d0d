# SPDX-License-Identifier: MIT
# SHOWS two greenlets that take a semaphore and an RLock of gevent's in two orders, and meet, while another goes on
# EXPECT deadlock confidence=observed tasks=debit,credit stacks=debit,credit roles=awaits,holds
# RUN timeout=4
# BUILD modules=gevent
import gevent
from gevent.lock import RLock, Semaphore


def debit(accounts, audit):
    with accounts:
        gevent.sleep(0.01)
        with audit:
            pass


def credit(accounts, audit):
    with audit:
        gevent.sleep(0.01)
        with accounts:
            pass


def heartbeat():
    while True:
        gevent.sleep(0.3)


accounts, audit = Semaphore(), RLock()
gevent.spawn(heartbeat)
gevent.joinall([gevent.spawn(debit, accounts, audit), gevent.spawn(credit, accounts, audit)])
