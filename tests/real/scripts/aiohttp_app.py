# SPDX-License-Identifier: MIT
"""aiohttp_app.py PORT - an aiohttp server: handlers with a timer, a lock, a queue to a worker, a thread; a middleware; a task of its own."""
import asyncio
import contextlib
import hashlib
import sys

from aiohttp import web


@web.middleware
async def counted(request, handler):
    request.app["requests"] += 1
    return await handler(request)


async def plain(request):
    return web.Response(text="hello")


async def later(request):
    await asyncio.sleep(0.003)
    return web.Response(text="later")


async def locked(request):
    async with request.app["lock"]:
        await asyncio.sleep(0)
        return web.Response(text="locked")


async def queued(request):
    answer = asyncio.get_running_loop().create_future()
    await request.app["work"].put((answer, 21))
    return web.json_response({"answer": await asyncio.wait_for(answer, 20)})


async def threaded(request):
    digest = await asyncio.to_thread(hashlib.sha256, b"x" * 10000)
    return web.Response(text=digest.hexdigest())


async def posted(request):
    return web.json_response({"sum": sum(await request.json())})


async def work(queue):
    while True:
        answer, number = await queue.get()
        if not answer.cancelled():
            answer.set_result(2 * number)
        queue.task_done()


async def workers(app):
    app["lock"], app["work"] = asyncio.Lock(), asyncio.Queue(16)
    tasks = [asyncio.create_task(work(app["work"]), name=f"worker-{n}") for n in range(2)]
    yield
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


app = web.Application(middlewares=[counted])
app["requests"] = 0
app.cleanup_ctx.append(workers)
app.add_routes([web.get("/plain", plain), web.get("/timer", later), web.get("/lock", locked), web.get("/queue", queued),
                web.get("/thread", threaded), web.post("/post", posted)])
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
