# SPDX-License-Identifier: MIT
# SHOWS work of a pool that fails in a function of the library's, and nobody looks at the future that the program got for it
# EXPECT unretrieved-exception confidence=observed roles=signals,destroys
import asyncio
import os


def forget(loop):
    loop.run_in_executor(None, os.listdir, "/no/such/folder")


async def main():
    forget(asyncio.get_running_loop())
    await asyncio.sleep(0.2)


asyncio.run(main())
