# SPDX-License-Identifier: MIT
# SHOWS names of locks that are items of containers: by a comprehension, under a key that a variable has, by append() and setdefault()
# EXPECT lock-order-inversion locks=Bank.rows[1],Bank.by_name["audit"] stacks=one,other
# EXPECT lock-order-inversion locks=spare[2],table["Grüße"] stacks=three,four
import threading

table = {}
spare = []


class Bank:
    def __init__(self, names):
        self.rows = [threading.Lock() for _ in range(2)]
        self.by_name = {name: threading.Lock() for name in names}


bank = Bank(["accounts", "audit"])
for name in ("Grüße", "x"):
    table.setdefault(name, threading.RLock())
for _ in range(3):
    spare.append(threading.Lock())
first_is_over, third_is_over = threading.Event(), threading.Event()


def one():
    with bank.rows[1]:
        with bank.by_name["audit"]:
            pass
    first_is_over.set()


def other():
    first_is_over.wait()
    with bank.by_name["audit"]:
        with bank.rows[1]:
            pass


def three():
    with spare[2]:
        with table["Grüße"]:
            pass
    third_is_over.set()


def four():
    third_is_over.wait()
    with table["Grüße"]:
        with spare[2]:
            pass


threads = [threading.Thread(target=work) for work in (one, other, three, four)]
for t in threads:
    t.start()
for t in threads:
    t.join()
