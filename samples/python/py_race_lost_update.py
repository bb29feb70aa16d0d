# SPDX-License-Identifier: MIT
# SHOWS an account that two threads read, and both write what they made of the old balance: one payment is gone
# EXPECT data-race confidence=observed threads=2 roles=accesses,accesses,accesses says=was+lost
# NEVER atomicity-violation deadlock lock-order-inversion leaked-thread
# RUN options=--python-races
import threading

both_have_read = threading.Barrier(2)


class Account:
    def __init__(self):
        self.balance = 100

    def pay(self, amount):
        before = self.balance
        both_have_read.wait()
        self.balance = before - amount


account = Account()
threads = [threading.Thread(target=account.pay, args=(10 * n,)) for n in (1, 2)]
for t in threads:
    t.start()
for t in threads:
    t.join()
