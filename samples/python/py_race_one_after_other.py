# SPDX-License-Identifier: MIT
# SHOWS work so short that each thread is done before the next begins: the library's own locks put no order between them
# EXPECT data-race confidence=potential threads=2 roles=accesses,accesses stacks=Tally.add
# NEVER atomicity-violation deadlock leaked-thread
# RUN options=--python-races clean
import logging
import threading

logging.basicConfig(filename="/dev/null", level=logging.INFO)
log = logging.getLogger("tally")


class Tally:
    def __init__(self):
        self.count = 0

    def add(self, number):
        self.count += number


def work(tally, here):
    log.info("begin")
    tally.add(1)
    log.info("end")
    here.set()


# Each waits for its turn at something that says nothing of what was done: a new thread's start, a line in a log.
tally = Tally()
places = [threading.Event() for _ in range(3)]
threads = [threading.Thread(target=work, args=(tally, place)) for place in places]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(tally.count)
