# SPDX-License-Identifier: MIT
# SHOWS a worker that ends a job under the RLock of the thread that gave it the job: refused
# EXPECT unlock-not-owned confidence=potential stacks=finish,main roles=releases,holds says=refused
import threading


def finish(lock):
    try:
        lock.release()
    except RuntimeError as e:
        print(e)


def main():
    lock = threading.RLock()
    with lock, lock:
        worker = threading.Thread(target=finish, args=[lock])
        worker.start()
        worker.join()


main()
