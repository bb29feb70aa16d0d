# SPDX-License-Identifier: MIT
# SHOWS a process that asyncio starts: until it runs, subprocess waits for its exec, which takes as long as the system lets it
# NEVER blocking-call-in-loop loop-stall
# RUN clean
import asyncio
import time


async def main():
    child = await asyncio.create_subprocess_exec("/bin/echo", "done", stdout=asyncio.subprocess.PIPE,
                                                 preexec_fn=lambda: time.sleep(0.2))
    out, _ = await child.communicate()
    assert out == b"done\n"


asyncio.run(main())
