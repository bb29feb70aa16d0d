# SPDX-License-Identifier: MIT
# SHOWS a consumer that waits for a Condition which nobody ever notifies
# EXPECT stuck-wait confidence=observed stacks=consume locks=filled says=threading.Condition
# RUN timeout=4
import threading

filled = threading.Condition()
items = []


def consume():
    with filled:
        while not items:
            filled.wait()


t = threading.Thread(target=consume)
t.start()
t.join()
