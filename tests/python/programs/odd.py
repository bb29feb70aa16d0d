# SPDX-License-Identifier: MIT
"""Modules by the names of those that the probe looks for, which fail or are something else."""
import importlib
import os
import sys
import tempfile
import threading

with tempfile.TemporaryDirectory() as d:
    for name, text in (("asyncio", "print('my asyncio')\nraise RuntimeError('mine')"), ("selectors", "print('my selectors'); x = 1"),
                       ("multiprocessing", "import nowhere")):
        with open(os.path.join(d, name + ".py"), "w", encoding="utf-8") as f:
            f.write(text)
    sys.path.insert(0, d)
    for name in ("asyncio", "asyncio", "selectors", "multiprocessing"):
        try:
            print(importlib.import_module(name).__name__)
        except Exception as e:  # pylint: disable=broad-except
            print(type(e).__name__, e)
    sys.path.pop(0)
    del sys.modules["selectors"]
import asyncio  # noqa: E402

print(asyncio.run(asyncio.sleep(0, 3)))
for name in [m for m in sys.modules if m.split(".")[0] in ("asyncio", "_asyncio", "selectors")]:
    del sys.modules[name]
import asyncio as again  # noqa: E402

print(again is not asyncio, again.run(again.sleep(0, 4)), asyncio.run(asyncio.sleep(0, 5)))
sys.audit("cp")
sys.audit("import")
sys.audit("import", 1)
sys.audit("import", "asyncio", *"12345")
sys.audit("i")
events = []
sys.addaudithook(lambda event, args: events.append(event) if event.startswith("my.") else None)
sys.audit("my.event", 1)
print(events, threading.active_count())


class Wide:
    def __init__(self):
        self.lock = threading.Lock()


for name in ("é", "名前", "😀", "x" * 3000):
    names = {}
    exec(f"def f():\n    with __import__('threading').Lock():\n        return {name!r}[:5]\n", names)  # pylint: disable=exec-used
    names["f"].__code__ = names["f"].__code__.replace(co_name=name, co_filename=name + ".py")
    print(names["f"]())
