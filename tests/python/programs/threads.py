# SPDX-License-Identifier: MIT
"""threading, use and misuse: results and errors."""
import _thread
import queue
import sys
import threading
from concurrent.futures import ThreadPoolExecutor


class Answer:
    """Counts how often it is asked."""

    def __init__(self, value):
        self.value, self.asked = value, 0

    def ask(self):
        self.asked += 1
        if isinstance(self.value, Exception):
            raise self.value
        return self.value

    __bool__ = __float__ = __index__ = ask


def attempt(f, *args, **kwargs):
    try:
        return f(*args, **kwargs)
    except BaseException as e:  # pylint: disable=broad-except
        return type(e).__name__, str(e)


for kind in (threading.Lock, threading.RLock, _thread.allocate_lock):
    lock = kind()
    print(kind.__name__, attempt(lock.release), attempt(lock.acquire, timeout=-2), attempt(lock.acquire, False, 1), attempt(lock.acquire, "x", "y"),
          attempt(lock.acquire, timeout=1e30), attempt(lock.acquire, timeout="1"), attempt(lock.acquire, nonsense=1), attempt(lock.acquire, 1, 2, 3),
          attempt(lock.acquire, timeout=float("nan")), attempt(lock.acquire, timeout=10**400), attempt(lock.acquire, timeout=None))
    while attempt(lock.release) is None:
        pass
    for value in (True, False, 1, ZeroDivisionError("asked")):
        blocking, timeout = Answer(value), Answer(0.01 if value is True else value)
        a = attempt(lock.acquire, blocking), blocking.asked
        while attempt(lock.release) is None:
            pass
        b = attempt(lock.acquire, True, timeout), timeout.asked
        while attempt(lock.release) is None:
            pass
        print(a, b)
    print(lock.acquire(), attempt(lock.__exit__), attempt(lock.__enter__), attempt(lock.acquire, False), attempt(lock.acquire, timeout=0.01))  \
        if kind is threading.RLock else print(lock.acquire(), lock.acquire(False), lock.acquire(True, 0.01), lock.locked(), attempt(lock.__exit__))
    print(attempt(type(lock).acquire), attempt(type(lock).acquire, 5), attempt(getattr(lock, "acquire_lock", lock.acquire), False))
rlock = threading.RLock()
with rlock:
    result = []
    t = threading.Thread(target=lambda: result.append((attempt(rlock.release), rlock.acquire(False))))
    t.start()
    t.join()
    print(result, rlock._is_owned(), rlock._release_save()[0], attempt(rlock.release), rlock._acquire_restore((2, _thread.get_ident())), rlock)
    rlock.release()
condition = threading.Condition()
print(attempt(condition.wait), attempt(condition.notify))
with condition:
    with condition:
        print(condition.wait(0.01), condition.wait_for(lambda: 5), condition.wait_for(lambda: 0, 0.01))
        condition.notify_all()
q, out = queue.Queue(2), []


def consume():
    while (item := q.get()) is not None:
        out.append(item)
        q.task_done()
    q.task_done()


workers = [threading.Thread(target=consume) for _ in range(3)]
for w in workers:
    w.start()
for i in list(range(200)) + [None] * 3:
    q.put(i)
q.join()
for w in workers:
    w.join()
print(sorted(out) == list(range(200)), attempt(q.get_nowait), attempt(q.get, timeout=0.01), attempt(q.task_done))
with ThreadPoolExecutor(4) as pool:
    print(sum(pool.map(lambda x: x * x, range(300))), attempt(pool.submit(lambda: 1 / 0).result))
barrier = threading.Barrier(3)
threads = [threading.Thread(target=barrier.wait) for _ in range(2)]
for t in threads:
    t.start()
barrier.wait()
for t in threads:
    t.join()
print(attempt(threading.current_thread().join), attempt(threading.Thread().join))
threads = [threading.Thread(target=lambda: threading.Lock().acquire()) for _ in range(300)]
for t in threads:
    t.start()
for t in threads:
    t.join(10)
print([t for t in threads if t.is_alive()], threading.active_count())


def fails():
    with threading.Lock():
        raise ValueError("in a thread")


t = threading.Thread(target=fails, name="failing")
t.start()
t.join()
sys.exit(3)
