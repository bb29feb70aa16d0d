# SPDX-License-Identifier: MIT
# SHOWS os.fork() while other threads log: the library's own handlers keep its locks free
# NEVER fork-with-lock-held deadlock stuck-wait
# RUN clean
import logging
import os
import threading



class Unbuffered(logging.Handler):
    """A file object would have a lock of its own, which nobody keeps free."""

    def emit(self, record):
        os.write(sink, record.getMessage().encode())


sink = os.open(os.devnull, os.O_WRONLY)
logging.basicConfig(handlers=[Unbuffered()], level=logging.INFO)
stop = threading.Event()


def chat():
    while not stop.is_set():
        logging.info("still here")


t = threading.Thread(target=chat)
t.start()
for _ in range(5):
    child = os.fork()
    if child == 0:
        logging.info("child")
        os._exit(0)
    os.waitpid(child, 0)
stop.set()
t.join()
