# SPDX-License-Identifier: MIT
# SHOWS os.fork() while another thread holds a Lock, which the child takes
# EXPECT fork-with-lock-held confidence=observed stacks=hold,<module> locks=settings says=register_at_fork
# RUN timeout=4
import os
import threading

settings = threading.Lock()
held = threading.Event()
release = threading.Event()


def hold():
    with settings:
        held.set()
        release.wait()


t = threading.Thread(target=hold)
t.start()
held.wait()
child = os.fork()
if child == 0:
    with settings:
        os._exit(0)
os.waitpid(child, 0)
release.set()
t.join()
