# SPDX-License-Identifier: MIT
# SHOWS a notify that comes before the wait, which looks at no state
# EXPECT stuck-wait confidence=observed stacks=consume locks=filled says=nobody+waited
# RUN timeout=4
import threading

filled = threading.Condition()
notified = threading.Event()


def consume():
    notified.wait()
    with filled:
        filled.wait()


t = threading.Thread(target=consume)
t.start()
with filled:
    filled.notify()
notified.set()
t.join()
