# SPDX-License-Identifier: MIT
# SHOWS a file that is left empty: the coroutine that flushes it is made, and not awaited
# EXPECT never-awaited confidence=observed tasks=Journal.flush stacks=record,Journal.flush roles=destroys,creates
import asyncio
import os
import tempfile


class Journal:
    def __init__(self, path):
        self.file = open(path, "w")

    async def write(self, line):
        self.file.write(line)

    async def flush(self):
        self.file.flush()


async def record(path):
    journal = Journal(path)
    await journal.write("paid\n")
    journal.flush()  # 'await' is missing
    return journal, os.path.getsize(path)


async def main():
    with tempfile.TemporaryDirectory() as directory:
        journal, size = await record(os.path.join(directory, "journal"))
        print("bytes on disk:", size)
        journal.file.close()


asyncio.run(main())
