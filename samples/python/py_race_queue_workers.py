# SPDX-License-Identifier: MIT
# SHOWS workers of one queue that count what they did: those who get from a queue are not put in order by it
# EXPECT data-race confidence=potential threads=2 roles=accesses,accesses stacks=work
# NEVER atomicity-violation deadlock leaked-thread
# RUN options=--python-races clean
import queue
import threading

jobs = queue.Queue()
turns = [threading.Event() for _ in range(2)]


class Stats:
    done = 0


stats = Stats()


def work(turn):
    jobs.get()
    stats.done += 1
    jobs.task_done()
    turn.set()


threads = [threading.Thread(target=work, args=(turn,)) for turn in turns]
for thread in threads:
    thread.start()
for number in range(2):
    jobs.put(number)
jobs.join()
for thread in threads:
    thread.join()
print(stats.done)
