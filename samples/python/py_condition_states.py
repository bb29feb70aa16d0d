# SPDX-License-Identifier: MIT
# SHOWS producers and consumers that look at the state, semaphores, barriers, a lock that is handed over: all as they should be
# NEVER deadlock stuck-wait lock-order-inversion leaked-thread unlock-not-owned
# RUN clean
import threading

filled = threading.Condition()
items = []
done = False


def produce():
    global done
    for i in range(100):
        with filled:
            items.append(i)
            filled.notify()
    with filled:
        done = True
        filled.notify_all()


def consume():
    while True:
        with filled:
            filled.wait_for(lambda: items or done, timeout=60)
            if not items:
                return
            items.pop()


def use():
    for _ in range(50):
        with slots:
            pass


def meet():
    for _ in range(5):
        start.wait()


slots = threading.BoundedSemaphore(2)
start = threading.Barrier(3)
baton = threading.Lock()
baton.acquire()
threads = [threading.Thread(target=work) for work in (produce, consume, consume, use, use, use, meet, meet, meet)]
threads.append(threading.Thread(target=baton.release))
for t in threads:
    t.start()
baton.acquire()
for t in threads:
    t.join()
