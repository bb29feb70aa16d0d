# SPDX-License-Identifier: MIT
# SHOWS a racing counter without --python-races: nothing is watched
# NEVER data-race atomicity-violation
# RUN clean
import threading

hits = 0


def work():
    global hits
    for _ in range(50):
        hits += 1


threads = [threading.Thread(target=work) for _ in range(3)]
for t in threads:
    t.start()
for t in threads:
    t.join()
