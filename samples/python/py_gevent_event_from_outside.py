# SPDX-License-Identifier: MIT
# SHOWS greenlets at rest, ended by a timer, by a worker thread and by a child's end
# NEVER stuck-wait deadlock await-cycle
# RUN clean
# BUILD modules=gevent
import time

import gevent
from gevent import subprocess
from gevent.event import Event


def wait_for(event):
    event.wait()


def rest(begin):
    event = Event()
    waits = gevent.spawn(wait_for, event)
    begin(event)
    waits.join()


rest(lambda event: gevent.spawn_later(0.25, event.set))
rest(lambda event: gevent.get_hub().threadpool.spawn(time.sleep, 0.25).rawlink(lambda _: event.set()))
rest(lambda event: gevent.spawn(lambda: (subprocess.call(["sleep", "0.25"]), event.set())))
