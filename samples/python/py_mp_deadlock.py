# SPDX-License-Identifier: MIT
# SHOWS two processes that take two multiprocessing locks in two orders
# EXPECT deadlock confidence=observed stacks=work locks=orders,stock says=multiprocessing.Lock
# RUN timeout=8
import multiprocessing


def work(first, second, both):
    with first:
        both.wait()
        with second:
            pass


if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    orders = context.Lock()
    stock = context.Lock()
    both = context.Barrier(2)
    pairs = ((orders, stock), (stock, orders))
    children = [context.Process(target=work, args=(*pair, both)) for pair in pairs]
    for child in children:
        child.start()
    for child in children:
        child.join()
