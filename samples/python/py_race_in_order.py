# SPDX-License-Identifier: MIT
# SHOWS objects that go from thread to thread: by a list under a lock, queues there and back, a future, a turn, a pool, the join of a queue
# NEVER data-race atomicity-violation deadlock
# RUN options=--python-races clean
import queue
import threading
from concurrent.futures import Future, ThreadPoolExecutor


class Job:
    def __init__(self, number):
        self.number = number


def run(*targets):
    threads = [threading.Thread(target=target) for target in targets]
    for thread in threads:
        thread.start()
    return threads


def join(threads):
    for thread in threads:
        thread.join()


lock = threading.Lock()
pile = [Job(number) for number in range(20)]


def take():
    with lock:
        return pile.pop() if pile else None


def empty_the_pile():
    while (job := take()) is not None:
        job.number += 1


join(run(empty_the_pile, empty_the_pile))

there, back = queue.Queue(), queue.Queue()


def echo():
    for job in iter(there.get, None):
        job.number += 1
        back.put(job)


threads = run(echo)
ball = Job(0)
for _ in range(10):
    there.put(ball)
    ball = back.get()
    ball.number += 1
there.put(None)
join(threads)

promise, box = Future(), Job(1)


def keep_promise():
    box.number += 1
    promise.set_result(box)


threads = run(keep_promise)
promise.result().number += 1
join(threads)

changed, turn, shared = threading.Condition(), [0], Job(0)


def play(me):
    for _ in range(5):
        with changed:
            changed.wait_for(lambda: turn[0] == me)
            shared.number += 1
            turn[0] = 1 - me
            changed.notify_all()


join(run(lambda: play(0), lambda: play(1)))


def increase(job):
    job.number += 1
    return job


with ThreadPoolExecutor(3) as pool:
    jobs = [Job(number) for number in range(6)]
    for job in pool.map(increase, jobs):
        job.number += 1
    pool.submit(increase, jobs[0]).result()
    pool.submit(increase, jobs[0]).result()

numbers, total = queue.Queue(), Job(0)


def add_up():
    while (number := numbers.get()) is not None:
        total.number += number
        numbers.task_done()


threads = run(add_up)
for number in range(10):
    numbers.put(number)
numbers.join()
total.number += 1
numbers.put(None)
join(threads)
print(ball.number, box.number, shared.number, total.number)
