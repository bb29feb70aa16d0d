# SPDX-License-Identifier: MIT
# SHOWS a SimpleQueue from which one more is taken than was put in
# EXPECT stuck-wait confidence=observed stacks=collect locks=results says=queue.SimpleQueue
# RUN timeout=4
import queue
import threading

results = queue.SimpleQueue()


def collect():
    for _ in range(4):
        results.get()


t = threading.Thread(target=collect)
t.start()
for n in range(3):
    results.put(n)
t.join()
