# SPDX-License-Identifier: MIT
# SHOWS greenlets that wait for an event and a queue that nobody is left to feed: gevent gives up
# EXPECT stuck-wait confidence=observed tasks=consumer stacks=consumer says=an+event
# EXPECT stuck-wait confidence=observed tasks=reader stacks=reader says=something+in+a+queue
# RUN exit=1
# BUILD modules=gevent
import gevent
from gevent.event import Event
from gevent.queue import Queue


def consumer(ready):
    ready.wait()


def reader(queue):
    print(queue.get())


gevent.joinall([gevent.spawn(consumer, Event()), gevent.spawn(reader, Queue())])
