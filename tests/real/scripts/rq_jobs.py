# SPDX-License-Identifier: MIT
"""Jobs for rq. As a program: rq_jobs.py put N sends them to the redis of REDIS_PORT, rq_jobs.py get prints what became of them."""
import collections
import hashlib
import os
import sys
import threading
import time

counted, lock = collections.Counter(), threading.Lock()


def digest(n):
    with lock:
        counted["digest"] += 1
    return hashlib.sha256(b"x" * n).hexdigest()


def threads(n):
    results, workers = [], []
    for i in range(n):
        workers.append(threading.Thread(target=lambda i=i: results.append(i * i)))
        workers[-1].start()
    for w in workers:
        w.join()
    return sorted(results)


def nap(seconds):
    time.sleep(seconds)
    return "awake"


def wrong():
    raise ValueError("on purpose")


def main(verb, count):
    import redis
    import rq
    import rq.job

    connection = redis.Redis(port=int(os.environ["REDIS_PORT"]))
    queue = rq.Queue(connection=connection)
    if verb == "put":
        calls = [("digest", digest, n) for n in range(count)] + [("threads", threads, 4), ("nap", nap, 0.01)]
        for name, function, argument in calls:
            queue.enqueue(function, argument, job_id=f"{name}-{argument}", result_ttl=600)
        queue.enqueue(wrong, job_id="wrong", failure_ttl=600)
        return
    ids = sorted(queue.finished_job_registry.get_job_ids())
    for i in ids:
        print(i, rq.job.Job.fetch(i, connection=connection).result)
    print("failed", queue.failed_job_registry.get_job_ids(), "left", len(queue))


if __name__ == "__main__":
    import rq_jobs  # rq refuses functions of __main__

    rq_jobs.main(sys.argv[1], int(sys.argv[2]))
