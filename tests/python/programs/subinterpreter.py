# SPDX-License-Identifier: MIT
"""Interpreters beside the main one, which use locks and tasks and end."""
import threading
import asyncio

try:
    import _interpreters as interpreters  # 3.13
except ImportError:
    try:
        import _xxsubinterpreters as interpreters
    except ImportError:
        interpreters = None
CODE = """
import threading
lock, rlock, condition = threading.Lock(), threading.RLock(), threading.Condition()
with lock, rlock, condition:
    condition.notify()
print("locks work")
"""
TASKS = """
import asyncio
async def f():
    lock = asyncio.Lock()
    async with lock:
        await asyncio.sleep(0)
    return 6
print(asyncio.run(f()))
"""


def run(code):
    i = interpreters.create()
    try:
        print(interpreters.run_string(i, code))
    except Exception as e:  # pylint: disable=broad-except
        print(type(e).__name__, e)
    interpreters.destroy(i)


print(asyncio.run(asyncio.sleep(0, 1)))
if interpreters:
    for code in (CODE, TASKS, "import _thread; _thread.allocate_lock().acquire()", "raise ValueError(1)", CODE, TASKS):
        run(code)
    t = threading.Thread(target=run, args=(CODE,))
    t.start()
    t.join()
with threading.Lock():
    print(asyncio.run(asyncio.sleep(0, 2)))
