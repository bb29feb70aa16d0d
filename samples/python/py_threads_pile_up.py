# SPDX-License-Identifier: MIT
# SHOWS a daemon thread for each session, which waits for a stop that nobody gives
# EXPECT leaked-thread confidence=observed stacks=Session.watch,Session.open roles=waits,creates
# NEVER deadlock stuck-wait
# RUN clean
import threading


class Session:
    def __init__(self):
        self.stop = threading.Event()
        self.watching = threading.Event()

    def open(self):
        threading.Thread(target=self.watch, daemon=True).start()
        self.watching.wait()

    def watch(self):
        self.watching.set()
        self.stop.wait()


for _ in range(4):
    Session().open()
