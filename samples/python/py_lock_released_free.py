# SPDX-License-Identifier: MIT
# SHOWS a pool whose error path releases its lock, which the end of the function does once more: the second one is refused
# EXPECT unlock-not-locked confidence=potential stacks=Pool.add,main says=refused lines=self.lock.release()
# RUN status=any
import threading


class Pool:
    def __init__(self):
        self.lock = threading.Lock()
        self.items = []

    def add(self, item):
        self.lock.acquire()
        if item is None:
            self.lock.release()
        else:
            self.items.append(item)
        self.lock.release()


def main():
    pool = Pool()
    for item in 1, None, 2:
        try:
            pool.add(item)
        except RuntimeError as e:
            print(e)


main()
