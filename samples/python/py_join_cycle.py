# SPDX-License-Identifier: MIT
# SHOWS two threads that join each other
# EXPECT deadlock confidence=observed stacks=first,second threads=2
# RUN timeout=4
import threading

go = threading.Event()


def first():
    go.wait()
    b.join()


def second():
    go.wait()
    a.join()


a = threading.Thread(target=first)
b = threading.Thread(target=second)
a.start()
b.start()
go.set()
a.join()
