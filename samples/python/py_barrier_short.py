# SPDX-License-Identifier: MIT
# SHOWS a Barrier for three that two threads come to
# EXPECT stuck-wait confidence=observed stacks=run locks=start says=threading.Barrier
# RUN timeout=4
import threading

start = threading.Barrier(3)


def run():
    start.wait()


threads = [threading.Thread(target=run) for _ in range(2)]
for t in threads:
    t.start()
for t in threads:
    t.join()
