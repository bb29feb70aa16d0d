# SPDX-License-Identifier: MIT
# SHOWS two processes that take two locks of multiprocessing in opposite orders, one after the other
# EXPECT lock-order-inversion confidence=potential stacks=work
# NEVER deadlock
# RUN serial
import multiprocessing


def work(turn, first, second):
    turn.wait()
    with first:
        with second:
            pass


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
