# SPDX-License-Identifier: MIT
# SHOWS two threads that wait for each other's lock, told by the names that the program gave them
# EXPECT deadlock confidence=observed threadnames=payer,auditor locks=accounts,ledger
# RUN timeout=3
import threading

accounts, ledger = threading.Lock(), threading.Lock()
both = threading.Barrier(2)


def take(first, second):
    with first:
        both.wait()
        with second:
            pass


threads = [threading.Thread(target=take, args=(accounts, ledger), name="payer"),
           threading.Thread(target=take, args=(ledger, accounts), name="auditor")]
for t in threads:
    t.start()
for t in threads:
    t.join()
