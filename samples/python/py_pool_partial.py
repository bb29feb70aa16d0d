# SPDX-License-Identifier: MIT
# SHOWS a pool's only worker that waits for work which it gave to the same pool; all of it is bound arguments, as asyncio.to_thread() gives them
# EXPECT deadlock|stuck-wait confidence=observed stacks=report says=Future
# RUN timeout=4
import contextvars
import functools
from concurrent.futures import ThreadPoolExecutor

pool = ThreadPoolExecutor(1)


def fetch(n):
    return n


def report(n):
    return pool.submit(functools.partial(contextvars.copy_context().run, fetch, n)).result()


print(pool.submit(functools.partial(report, 3)).result())
