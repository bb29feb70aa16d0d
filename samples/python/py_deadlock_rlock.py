# SPDX-License-Identifier: MIT
# SHOWS an RLock and a Lock of a cache, taken in two orders by two threads at the same time
# EXPECT deadlock confidence=observed stacks=evict,refresh threads=2 locks=Cache.entries,Cache.disk says=threading.RLock
# RUN timeout=4
import threading


class Cache:
    def __init__(self):
        self.entries = threading.RLock()
        self.disk = threading.Lock()

    def evict(self):
        with self.entries:
            both.wait()
            with self.entries:
                with self.disk:
                    pass

    def refresh(self):
        with self.disk:
            both.wait()
            with self.entries:
                pass


both = threading.Barrier(2)
cache = Cache()
threads = [threading.Thread(target=work) for work in (cache.evict, cache.refresh)]
for t in threads:
    t.start()
for t in threads:
    t.join()
