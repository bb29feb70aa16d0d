# SPDX-License-Identifier: MIT
# SHOWS a Semaphore that is taken on an early return path and not given back
# EXPECT stuck-wait confidence=observed stacks=query locks=connections says=threading.Semaphore
# RUN timeout=4
import threading

connections = threading.Semaphore(2)


def query():
    connections.acquire()
    return None


threads = [threading.Thread(target=query) for _ in range(3)]
for t in threads:
    t.start()
for t in threads:
    t.join()
