# SPDX-License-Identifier: MIT
# SHOWS two threading locks taken in two orders; only luck (here: an event) kept the threads apart
# EXPECT lock-order-inversion confidence=potential stacks=debit,credit threads=2 locks=accounts,audit
import threading

accounts = threading.Lock()
audit = threading.Lock()
debited = threading.Event()


def debit():
    with accounts:
        with audit:
            pass
    debited.set()


def credit():
    debited.wait()
    with audit:
        with accounts:
            pass


threads = [threading.Thread(target=work) for work in (debit, credit)]
for t in threads:
    t.start()
for t in threads:
    t.join()
