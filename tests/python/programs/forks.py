# SPDX-License-Identifier: MIT
"""Forks with and without threads, with warnings that are errors; os._exit."""
import os
import threading
import warnings

warnings.simplefilter("error")


def fork():
    try:
        pid = os.fork()
    except Warning as w:
        return str(w)[:30].replace(str(os.getpid()), "PID")
    if not pid:
        with threading.Lock():
            os._exit(7)
    return os.waitpid(pid, 0)[1]


lock = threading.Lock()
print(fork())
with lock:
    print(fork())
started, stop = threading.Event(), threading.Event()


def wait():
    started.set()
    stop.wait()


t = threading.Thread(target=wait)
t.start()
started.wait()
print(fork())
stop.set()
t.join()
print(fork())
