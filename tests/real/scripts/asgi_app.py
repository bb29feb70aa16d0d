# SPDX-License-Identifier: MIT
"""A FastAPI application for uvicorn, gunicorn and hypercorn: coroutines, a synchronous handler (on a pool), a lock, a background task."""
import asyncio
import contextlib
import hashlib

from fastapi import BackgroundTasks, Depends, FastAPI

app = FastAPI()
state = {"ticks": 0, "noted": 0}


async def tick():
    while True:
        await asyncio.sleep(0.02)
        state["ticks"] += 1


@app.on_event("startup")
async def start():
    state["lock"] = asyncio.Lock()
    state["ticker"] = asyncio.create_task(tick(), name="ticker")


@app.on_event("shutdown")
async def stop():
    state["ticker"].cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await state["ticker"]


async def lock():
    async with state["lock"]:
        yield "held"


def note():
    state["noted"] += 1


@app.get("/plain")
async def plain():
    return {"hello": "world"}


@app.get("/timer")
async def later():
    await asyncio.sleep(0.003)
    return {"later": True}


@app.get("/lock")
async def locked(held: str = Depends(lock)):
    await asyncio.sleep(0)
    return {"lock": held}


@app.get("/pool")
def pooled(times: int = 100):
    return {"digest": hashlib.sha256(b"x" * 100 * times).hexdigest()}


@app.get("/gather")
async def gathered():
    async def one(n):
        await asyncio.sleep(0)
        return n * n
    return {"squares": await asyncio.gather(*(one(n) for n in range(5)))}


@app.get("/background")
async def background(tasks: BackgroundTasks):
    tasks.add_task(note)
    return {"noted": "soon"}
