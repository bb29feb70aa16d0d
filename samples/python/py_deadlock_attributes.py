# SPDX-License-Identifier: MIT
# SHOWS two accounts that are locked in the order of the arguments: each transfer has the lock that the other wants
# EXPECT deadlock confidence=observed stacks=transfer threads=2 locks=Account._lock says=threading.Lock
# NEVER stuck-wait
# RUN timeout=4
import threading


class Account:
    def __init__(self, owner):
        self.owner = owner
        self._lock = threading.Lock()


def transfer(source, target):
    with source._lock:
        both.wait()
        with target._lock:
            pass


both = threading.Barrier(2)
ann, bob = Account("ann"), Account("bob")
threads = [threading.Thread(target=transfer, args=pair) for pair in ((ann, bob), (bob, ann))]
for t in threads:
    t.start()
for t in threads:
    t.join()
