# SPDX-License-Identifier: MIT
"""gevent_tree.py N - gevent with everything patched: a pool, queues, locks, events, timeouts, sockets, threads. Prints what came of it."""
from gevent import monkey

monkey.patch_all()

import hashlib  # noqa: E402
import queue  # noqa: E402
import socket  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402

import gevent  # noqa: E402
import gevent.event  # noqa: E402
import gevent.pool  # noqa: E402
import gevent.queue  # noqa: E402
import gevent.server  # noqa: E402


def pool(size):
    squares = gevent.pool.Pool(8).imap_unordered(lambda n: (gevent.sleep(0), n * n)[1], range(size))
    print("pool", sum(squares))


def queues(size):
    jobs, done = gevent.queue.JoinableQueue(4), []

    def work():
        while True:
            done.append(jobs.get())
            jobs.task_done()

    workers = [gevent.spawn(work) for _ in range(3)]
    for n in range(size):
        jobs.put(n)
    jobs.join()
    gevent.killall(workers)
    print("queues", len(done), sum(done))


def locks(size):
    lock, total, ready = threading.Lock(), [0], threading.Event()

    def add():
        ready.wait()
        for _ in range(size // 10):
            with lock:
                before = total[0]
                gevent.sleep(0)
                total[0] = before + 1

    threads = [threading.Thread(target=add, name=f"adder-{n}") for n in range(4)]
    for t in threads:
        t.start()
    ready.set()
    for t in threads:
        t.join()
    print("locks", total[0])


def timeouts():
    event, said = gevent.event.AsyncResult(), []
    with gevent.Timeout(0.01, False):
        event.get()
        said.append("not reached")
    try:
        queue.Queue().get(timeout=0.01)
    except queue.Empty:
        said.append("empty")
    gevent.spawn_later(0.005, event.set, "later")
    print("timeouts", said, event.get(timeout=20))


def echo(size):
    def serve(connection, _):
        while data := connection.recv(4096):
            connection.sendall(data)

    server = gevent.server.StreamServer(("127.0.0.1", 0), serve)
    server.start()

    def client(n):
        got = 0
        with socket.create_connection(server.address) as s:
            for _ in range(size // 10):
                s.sendall(b"x" * 64)
                more = 64
                while more:
                    more -= len(s.recv(more))
                got += 64
        return got

    clients = [gevent.spawn(client, n) for n in range(4)]
    gevent.joinall(clients)
    server.stop()
    print("echo", sum(c.value for c in clients))


def threads(size):
    digests = gevent.get_hub().threadpool.map(lambda n: hashlib.sha256(b"%d" % n).hexdigest(), range(size // 10))
    print("threads", hashlib.sha256("".join(digests).encode()).hexdigest()[:16])


if __name__ == "__main__":
    for part in (pool, queues, locks, threads, echo):
        part(int(sys.argv[1]))
    timeouts()
