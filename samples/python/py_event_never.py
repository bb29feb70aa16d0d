# SPDX-License-Identifier: MIT
# SHOWS an Event that nobody sets: the program cannot end, for its thread is no daemon
# EXPECT stuck-wait confidence=observed stacks=serve locks=Server.stop says=threading.Event
# RUN timeout=4
import threading


class Server:
    def __init__(self):
        self.stop = threading.Event()

    def serve(self):
        self.stop.wait()


threading.Thread(target=Server().serve).start()
