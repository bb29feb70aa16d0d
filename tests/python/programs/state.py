# SPDX-License-Identifier: MIT
"""What a program finds when its first line runs, and after it imported what the probe looks for."""
import gc
import sys

print("modules", sorted(sys.modules))
print("filters", sys.modules["warnings"].filters if "warnings" in sys.modules else None)
print("flags", sys.flags, sys._xoptions, sys.path[1:])
gc.collect()
before = len(gc.get_objects())
import os  # noqa: E402

print("environment", sorted(k for k in os.environ if k not in ("LD_PRELOAD", "THRUM_OPTIONS", "LC_CTYPE")))
import threading  # noqa: E402
import asyncio  # noqa: E402

gc.collect()
print("threads", [t.name for t in threading.enumerate()], len(os.listdir("/proc/self/task")))
print("modules", sorted(sys.modules))
print("hooks", sys.gettrace(), sys.getprofile(), sys.excepthook is sys.__excepthook__, sys.getswitchinterval(), gc.get_threshold())
print("file", "__main__" in sys.modules, __name__)


async def main():
    await asyncio.sleep(0)
    lock = asyncio.Lock()
    async with lock:
        await asyncio.gather(*(asyncio.sleep(0, i) for i in range(3)))


asyncio.run(main())
lock = threading.RLock()
with lock, lock:
    pass
print("done")
