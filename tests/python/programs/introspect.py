# SPDX-License-Identifier: MIT
"""What inspect, pickle, copy and friends say of the functions and types that the probe touches."""
import _thread
import asyncio
import asyncio.base_events
import asyncio.events
import asyncio.runners
import copy
import inspect
import pickle
import selectors
import sys
import threading
import types
import unittest.mock
import warnings

FUNCTIONS = [(asyncio.events.Handle, "_run"), (asyncio.BaseEventLoop, "run_forever"), (asyncio.BaseEventLoop, "close"),
             (asyncio.BaseEventLoop, "call_soon_threadsafe"), (asyncio.BaseEventLoop, "call_exception_handler"),
             (asyncio.runners, "_cancel_all_tasks"), (warnings, "_warn_unawaited_coroutine"), (selectors.EpollSelector, "select")]
for owner, name in FUNCTIONS:
    f = getattr(owner, name)
    print(name, type(f).__name__, inspect.isfunction(f), inspect.isroutine(f), callable(f), inspect.signature(f), f.__name__, f.__qualname__,
          f.__module__, f.__doc__ and len(f.__doc__), f.__code__.co_name, f.__defaults__, f.__kwdefaults__, f.__annotations__, f.__closure__,
          f.__dict__, len(inspect.getsource(f)), inspect.getsourcefile(f) == f.__code__.co_filename, f.__globals__["__name__"])
    print(isinstance(f, types.FunctionType), types.FunctionType in type(f).__mro__, repr(f).split(" at ")[0], f == f, copy.copy(f) is f,
          copy.deepcopy(f) is f, pickle.loads(pickle.dumps(f)) is f, f is owner.__dict__[name], hash(f) == object.__hash__(f))
    bound = types.MethodType(f, 1)
    print(bound.__self__, bound.__func__ is f, inspect.ismethod(bound), inspect.unwrap(f) is f)
    print(sorted(set(dir(f)) ^ set(dir(main := lambda: None))))
    mock = unittest.mock.create_autospec(f)
    print(type(mock).__name__, inspect.isfunction(mock))
for kind in (asyncio.Lock, asyncio.Task, asyncio.Future, asyncio.BaseEventLoop, asyncio.Handle, threading.Condition, type(threading.Lock()),
             type(threading.RLock()), selectors.EpollSelector):
    print(kind, kind.__mro__, sorted(kind.__dict__) if sys.version_info < (3, 0) else sorted(dir(kind)), kind.__flags__ & (1 << 9 | 1 << 10))
    print([k.__name__ for k in kind.__subclasses__()])
print(types.FunctionType.__subclasses__(), types.FunctionType.__init__)
for o in (threading.Lock(), threading.RLock(), _thread.allocate_lock()):
    print(type(o), repr(o).split(" at ")[0], sorted(dir(o)), inspect.isbuiltin(o.acquire), o.acquire.__name__, o.acquire.__qualname__,
          o.acquire.__doc__ and len(o.acquire.__doc__), type(o.acquire), o.acquire == o.acquire)
    try:
        pickle.dumps(o)
    except TypeError as e:
        print(e)
    try:
        copy.deepcopy(o)
    except TypeError as e:
        print(e)
    try:
        class Sub(type(o)):
            pass
        with Sub() as inside:
            print("subclass works", inside)
    except TypeError as e:
        print(e)


class Loud(asyncio.Lock):
    def __setattr__(self, name, value):
        print("sets", name, value)
        super().__setattr__(name, value)


class Extended(asyncio.Lock):
    extra = 5


class Traced(asyncio.Task):
    def __init__(self, coro, **kwargs):
        super().__init__(coro, **kwargs)
        self.mark = 3


async def attributes():
    for kind in (Loud, Extended, asyncio.Lock):
        lock = kind()
        object.__setattr__(lock, "note", 1)
        print(sorted(vars(lock)), lock.note, lock._locked, repr(lock).split(" ", 3)[-1])
        async with lock:
            print(lock.locked(), vars(lock)["_locked"])
        lock._locked = True
        print(lock.locked())
        lock.release()
        try:
            lock.release()
        except RuntimeError as e:
            print(e)
        try:
            lock.__setattr__(1, 2)
        except TypeError as e:
            print(e)
        del lock._locked
        print(hasattr(lock, "_locked"))
        try:
            del lock._locked
        except AttributeError as e:
            print(type(e))
    task = Traced(asyncio.sleep(0, 7), name="mine")
    print(await task, task.mark, task.get_name(), type(task))
    asyncio.get_running_loop().set_task_factory(lambda loop, coro, **kw: Traced(coro, loop=loop, **kw))
    print(type(asyncio.create_task(asyncio.sleep(0))))
    try:
        asyncio.Task(5)
    except TypeError as e:
        print(e)
    try:
        asyncio.Task()
    except TypeError as e:
        print(e)


asyncio.run(attributes())
