# SPDX-License-Identifier: MIT
# SHOWS attributes, a global, a class attribute, items of a dict and a list, counted up by the threads of a pool without a lock
# EXPECT data-race confidence=potential count=6 threads=2 roles=accesses,accesses
# NEVER atomicity-violation deadlock lock-order-inversion leaked-thread
# RUN options=--python-races clean
import threading
import types

served = 0
by_method = {"GET": 0}
by_worker = [0, 0]
state = types.SimpleNamespace(errors=0)
go = threading.Barrier(3)


class Stats:
    instances = 0

    def __init__(self):
        self.hits = 0

    def hit(self):
        self.hits += 1


stats = Stats()


def work():
    global served
    go.wait()
    for _ in range(50):
        stats.hit()
        served += 1
        Stats.instances += 1
        by_method["GET"] = by_method.get("GET", 0) + 1
        by_worker[0] += 1
        state.errors += 1


threads = [threading.Thread(target=work) for _ in range(3)]
for t in threads:
    t.start()
for t in threads:
    t.join()
