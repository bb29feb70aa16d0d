# SPDX-License-Identifier: MIT
# SHOWS the clean twin of py_deadlock_attributes: the locks are taken by the owner's name
# NEVER deadlock lock-order-inversion stuck-wait
# RUN clean
import threading


class Account:
    def __init__(self, owner):
        self.owner = owner
        self._lock = threading.Lock()


def transfer(*accounts):
    first, second = sorted(accounts, key=lambda a: a.owner)
    for _ in range(50):
        with first._lock:
            with second._lock:
                pass


ann, bob = Account("ann"), Account("bob")
threads = [threading.Thread(target=transfer, args=pair) for pair in ((ann, bob), (bob, ann))]
for t in threads:
    t.start()
for t in threads:
    t.join()
