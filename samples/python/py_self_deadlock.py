# SPDX-License-Identifier: MIT
# SHOWS a method that takes a Lock which its caller holds
# EXPECT self-deadlock confidence=observed stacks=add,total locks=Ledger.lock
# RUN timeout=4
import threading


class Ledger:
    def __init__(self):
        self.lock = threading.Lock()
        self.rows = []

    def total(self):
        with self.lock:
            return sum(self.rows)

    def add(self, amount):
        with self.lock:
            self.rows.append(amount)
            return self.total()


Ledger().add(1)
