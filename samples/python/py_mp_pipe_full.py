# SPDX-License-Identifier: MIT
# SHOWS two processes that both send more than a pipe holds before they receive
# EXPECT deadlock confidence=observed stacks=answer,<module>
# RUN timeout=8
import multiprocessing


def answer(connection):
    connection.send(b"x" * (1 << 22))
    connection.recv()


if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    mine, theirs = context.Pipe()
    child = context.Process(target=answer, args=(theirs,))
    child.start()
    mine.send(b"y" * (1 << 22))
    mine.recv()
    child.join()
