# SPDX-License-Identifier: MIT
# SHOWS the same variables, each changed under one lock everywhere; and what needs none
# NEVER data-race atomicity-violation deadlock lock-order-inversion leaked-thread
# RUN options=--python-races clean
import queue
import threading
from collections import deque

served = 0
by_method = {"GET": 0}
running = True
lock = threading.Lock()
nested = threading.RLock()
local = threading.local()
seen = []
recent = deque(maxlen=10)
last = {}
cache = None
results = queue.Queue()


class Stats:
    instances = 0

    def __init__(self):
        self.hits = 0
        self.table = None

    def hit(self):
        with nested:
            self.hits += 1
            Stats.instances += 1

    def lookup(self, key):
        if self.table is None:  # filled in by whoever comes first
            self.table = {i: i * i for i in range(10)}
        return self.table[key]


stats = Stats()


def settings():
    global cache
    if cache is None:
        cache = {"size": 10}
    return cache


def work(n):
    global served, running
    local.mine = 0
    mine = Stats()
    for i in range(50):
        stats.hit()
        with lock:
            served += 1
            by_method["GET"] = by_method.get("GET", 0) + 1
        local.mine += 1
        mine.hits += 1
        seen.append(i)
        recent.append(i)
        last[n] = i
        last["newest"] = n
        running = i < 49
        stats.lookup(i % 10)
        settings()
    results.put(mine)


threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
for t in threads:
    t.start()
for t in threads:
    t.join()
while not results.empty():
    one = results.get()
    one.hits += 1
served += 1
