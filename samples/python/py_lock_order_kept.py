# SPDX-License-Identifier: MIT
# SHOWS two threading locks taken in one order everywhere
# NEVER lock-order-inversion deadlock stuck-wait leaked-thread
# RUN clean
import threading

accounts = threading.Lock()
audit = threading.Lock()


def move():
    for _ in range(50):
        with accounts:
            with audit:
                pass


threads = [threading.Thread(target=move) for _ in range(3)]
for t in threads:
    t.start()
for t in threads:
    t.join()
