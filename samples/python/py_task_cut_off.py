# SPDX-License-Identifier: MIT
# SHOWS a job that is started and forgotten: the program ends in the middle of it
# EXPECT leaked-task confidence=observed tasks=export stacks=export,start_export roles=awaits,creates
import asyncio

written = []


async def export(rows):
    for row in rows:
        await asyncio.sleep(0.01)
        written.append(row)


async def start_export():
    asyncio.create_task(export(range(1000)))


async def main():
    await start_export()
    await asyncio.sleep(0.05)


asyncio.run(main())
print("some rows are missing:", len(written) < 1000)
