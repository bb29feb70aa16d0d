# SPDX-License-Identifier: MIT
# SHOWS a loop of the program's own, over selectors, that is over: what the program does afterwards holds nobody up
# NEVER loop-stall blocking-call-in-loop
# RUN clean
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
    time.sleep(0.001)
end = time.thread_time() + 0.25
while time.thread_time() < end:
    pass
