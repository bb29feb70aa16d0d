# SPDX-License-Identifier: MIT
# SHOWS the clean twin of py_self_deadlock: the lock is an RLock
# NEVER self-deadlock deadlock stuck-wait
# RUN clean
import threading


class Ledger:
    def __init__(self):
        self.lock = threading.RLock()
        self.rows = []

    def total(self):
        with self.lock:
            return sum(self.rows)

    def add(self, amount):
        with self.lock:
            self.rows.append(amount)
            return self.total()


Ledger().add(1)
