# SPDX-License-Identifier: MIT
# SHOWS a Lock that another thread releases, which is allowed, an RLock released as often as it was taken, and a Condition's of either kind
# NEVER unlock-not-locked unlock-not-owned double-lock
# RUN clean
import threading


def use_condition(condition, state):
    with condition:
        while not state:
            condition.wait()
        condition.notify_all()


def main():
    lock, nested = threading.Lock(), threading.RLock()
    lock.acquire()
    release = threading.Thread(target=lock.release)
    release.start()
    release.join()
    with lock, nested, nested:
        pass
    for kind in threading.Lock, threading.RLock:
        condition, state = threading.Condition(kind()), []
        users = [threading.Thread(target=use_condition, args=(condition, state)) for _ in range(3)]
        for user in users:
            user.start()
        with condition:
            state.append(1)
            condition.notify()
        for user in users:
            user.join()


main()
