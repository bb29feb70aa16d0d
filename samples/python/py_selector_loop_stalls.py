# SPDX-License-Identifier: MIT
# SHOWS a loop of the program's own, over selectors, that works between two waits: what is ready meanwhile has to wait
# EXPECT loop-stall
# ALLOW blocking-call-in-loop level=note..warning
import selectors
import socket
import time

ours, theirs = socket.socketpair()
waits = selectors.DefaultSelector()
waits.register(ours, selectors.EVENT_READ)
for turn in range(60):
    theirs.send(b"x")
    waits.select()
    ours.recv(1)
    if turn == 40:
        end = time.thread_time() + 0.25
        while time.thread_time() < end:
            pass
    time.sleep(0.001)
