# SPDX-License-Identifier: MIT
# SHOWS a signal handler that takes the lock which the main thread holds when the signal comes
# EXPECT self-deadlock|signal-handler-lock confidence=observed stacks=on_signal,work locks=state
# RUN timeout=4
import os
import signal
import threading

state = threading.Lock()


def on_signal(number, frame):
    with state:
        pass


def work():
    with state:
        os.kill(os.getpid(), signal.SIGUSR1)
        for _ in range(10000):
            pass


signal.signal(signal.SIGUSR1, on_signal)
work()
