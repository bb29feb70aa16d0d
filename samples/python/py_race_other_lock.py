# SPDX-License-Identifier: MIT
# SHOWS a total that is changed under one lock here and under another one there
# EXPECT data-race confidence=potential threads=2 locks=Ledger.total says=without+a+common+lock
# NEVER atomicity-violation deadlock lock-order-inversion leaked-thread
# RUN options=--python-races clean
import threading


class Ledger:
    def __init__(self):
        self.total = 0
        self.reads = threading.Lock()
        self.writes = threading.Lock()

    def add(self, amount):
        with self.writes:
            self.total += amount

    def take(self, amount):
        with self.reads:
            self.total -= amount


ledger = Ledger()
go = threading.Barrier(2)


def run(change):
    go.wait()
    for _ in range(20):
        change(1)


threads = [threading.Thread(target=run, args=(c,)) for c in (ledger.add, ledger.take)]
for t in threads:
    t.start()
for t in threads:
    t.join()
