# SPDX-License-Identifier: MIT
# SHOWS the same with a try for the second lock: who fails goes away again
# NEVER lock-order-inversion deadlock
# RUN clean serial
import multiprocessing


def work(turn, first, second):
    turn.wait()
    with first:
        if second.acquire(block=False):
            second.release()


if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    one, two = context.Lock(), context.Lock()
    turns = [context.Event(), context.Event()]
    workers = [
        context.Process(target=work, args=(turns[0], one, two)),
        context.Process(target=work, args=(turns[1], two, one)),
    ]
    for worker in workers:
        worker.start()
    for turn, worker in zip(turns, workers):
        turn.set()
        worker.join()
