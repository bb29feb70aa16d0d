# SPDX-License-Identifier: MIT
# SHOWS a handler that imports a module when it is first called: once, and a note
# EXPECT loop-stall level=note says=importing+modules
# RUN clean
import asyncio
import os
import sys
import tempfile

SLOW = "import time\nend = time.thread_time() + 0.25\nwhile time.thread_time() < end:\n    pass\n"


async def handle():
    import slow_to_import

    return slow_to_import.end


async def main():
    with tempfile.TemporaryDirectory() as directory:
        with open(os.path.join(directory, "slow_to_import.py"), "w") as f:
            f.write(SLOW)
        sys.path.insert(0, directory)
        await asyncio.sleep(0.01)
        await handle()
        await asyncio.sleep(0.01)


asyncio.run(main())
