# SPDX-License-Identifier: MIT
# SHOWS an order that is confirmed though its receipt failed: nobody looks at the task; another one is kept in a list to the end
# EXPECT unretrieved-exception confidence=observed tasks=send_receipt stacks=connect,handle roles=accesses,creates
# EXPECT unretrieved-exception confidence=observed tasks=audit stacks=audit,main
import asyncio

kept = []


async def connect():
    await asyncio.sleep(0)
    raise ConnectionError("mail server is down")


async def send_receipt(order):
    await connect()


async def audit():
    raise RuntimeError("no room")


async def handle(order):
    asyncio.create_task(send_receipt(order))
    return "confirmed"


async def main():
    kept.append(asyncio.create_task(audit()))
    print(await handle(7))
    await asyncio.sleep(0.02)


asyncio.run(main())
