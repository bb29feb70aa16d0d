# SPDX-License-Identifier: MIT
"""What the counting preload saw against what the trace says: which calls make which records, and the comparison.

The table is written by hand from the meaning of spec/events.def; it does not know how the recorder is built. A row says: so
many records of this event must be there as there were calls with this outcome of these functions.
"""
import glob
import os
import re
import struct

COLUMNS = ("called", "ok", "ownerdead", "failed", "ran")
ENTRY = struct.Struct("<40s5Q")

# Objects of libc, as `thrum info` names them; the counting preload sees the calls of these.
KINDS = ("mutex", "rwlock", "spinlock", "condition variable", "semaphore", "barrier", "once", "static initialiser guard")

LOCK = ["pthread_mutex_lock", "pthread_rwlock_wrlock", "pthread_spin_lock", "sem_wait", "mtx_lock"]
LOCK_SHARED = ["pthread_rwlock_rdlock"]
TRY = ["pthread_mutex_trylock", "pthread_rwlock_trywrlock", "pthread_spin_trylock", "sem_trywait", "mtx_trylock"]
TRY_SHARED = ["pthread_rwlock_tryrdlock"]
TIMED = ["pthread_mutex_timedlock", "pthread_mutex_clocklock", "pthread_rwlock_timedwrlock", "pthread_rwlock_clockwrlock",
         "sem_timedwait", "sem_clockwait", "mtx_timedlock"]
TIMED_SHARED = ["pthread_rwlock_timedrdlock", "pthread_rwlock_clockrdlock"]
ACQUIRES = LOCK + LOCK_SHARED + TRY + TRY_SHARED + TIMED + TIMED_SHARED
UNLOCK = ["pthread_mutex_unlock", "pthread_rwlock_unlock", "pthread_spin_unlock", "mtx_unlock"]
COND_WAIT = ["pthread_cond_wait", "pthread_cond_timedwait", "pthread_cond_clockwait", "cnd_wait", "cnd_timedwait"]
INIT = ["pthread_mutex_init", "pthread_rwlock_init", "pthread_spin_init", "pthread_cond_init", "pthread_barrier_init",
        "sem_init", "mtx_init", "cnd_init"]
DESTROY = ["pthread_mutex_destroy", "pthread_rwlock_destroy", "pthread_spin_destroy", "pthread_cond_destroy",
           "pthread_barrier_destroy", "sem_destroy", "mtx_destroy", "cnd_destroy"]
JOIN = ["pthread_join", "pthread_tryjoin_np", "pthread_timedjoin_np", "pthread_clockjoin_np", "thrd_join"]
ONCE = ["pthread_once", "call_once", "__cxa_guard_acquire"]

# (words of the events in dump and info, outcome that makes one, functions)
ROWS = [
    (["acquire"], ["ok"], LOCK),
    (["acquire-shared"], ["ok"], LOCK_SHARED),
    (["try-acquire"], ["ok"], TRY),
    (["try-acquire-shared"], ["ok"], TRY_SHARED),
    (["timed-acquire"], ["ok"], TIMED),
    (["timed-acquire-shared"], ["ok"], TIMED_SHARED),
    (["acquire-ownerdead"], ["ownerdead"], ACQUIRES),
    (["acquire-fail"], ["failed"], ACQUIRES),
    (["release", "release-odd"], ["called"], UNLOCK),
    (["consistent"], ["ok", "failed"], ["pthread_mutex_consistent"]),
    (["init"], ["ok"], INIT),
    (["destroy"], ["ok", "failed"], DESTROY),
    (["cond-wait"], ["called"], COND_WAIT),
    (["cond-wake"], ["ok", "ownerdead", "failed"], COND_WAIT),
    (["cond-signal"], ["called"], ["pthread_cond_signal", "cnd_signal"]),
    (["cond-broadcast"], ["called"], ["pthread_cond_broadcast", "cnd_broadcast"]),
    (["post"], ["called"], ["sem_post"]),
    (["barrier-arrive"], ["called"], ["pthread_barrier_wait"]),
    (["barrier-leave"], ["ok", "failed"], ["pthread_barrier_wait"]),
    (["once-begin"], ["ran"], ONCE),
    (["create"], ["called"], ["pthread_create", "thrd_create"]),
    (["create-failed"], ["failed"], ["pthread_create", "thrd_create"]),
    (["join"], ["ok", "failed"], JOIN),
    (["detach"], ["ok", "failed"], ["pthread_detach", "thrd_detach"]),
    (["cancel"], ["ok", "failed"], ["pthread_cancel"]),
    (["exit"], ["called"], ["pthread_exit", "thrd_exit"]),
    (["spawn"], ["ok"], ["posix_spawn", "posix_spawnp"]),
]

# The same for the locks of GLib: (what `thrum info` calls the object, events, functions). What GLib locks inside itself passes neither.
GLIB = [
    ("GLib mutex", ["acquire"], ["g_mutex_lock", "g_rec_mutex_lock"]),
    ("GLib mutex", ["try-acquire", "acquire-fail"], ["g_mutex_trylock", "g_rec_mutex_trylock"]),
    ("GLib mutex", ["release", "release-odd"], ["g_mutex_unlock", "g_rec_mutex_unlock"]),
    ("GLib rwlock", ["acquire"], ["g_rw_lock_writer_lock"]),
    ("GLib rwlock", ["acquire-shared"], ["g_rw_lock_reader_lock"]),
    ("GLib rwlock", ["release", "release-odd"], ["g_rw_lock_writer_unlock", "g_rw_lock_reader_unlock"]),
    ("GLib condition variable", ["cond-wait"], ["g_cond_wait", "g_cond_wait_until", "g_cond_timed_wait"]),
    ("GLib condition variable", ["cond-wake"], ["g_cond_wait", "g_cond_wait_until", "g_cond_timed_wait"]),
    ("GLib condition variable", ["cond-signal"], ["g_cond_signal"]),
    ("GLib condition variable", ["cond-broadcast"], ["g_cond_broadcast"]),
]


def read(directory):
    """{pid: [image, …]} in order of start, an image being {function: {column: count}}."""
    processes = {}
    for path in glob.glob(os.path.join(directory, "*.count")):
        pid, image = map(int, re.match(r"(\d+)\.(\d+)\.count$", os.path.basename(path)).groups())
        with open(path, "rb") as f:
            data = f.read()
        table = {}
        for at in range(0, len(data) - ENTRY.size + 1, ENTRY.size):
            name, *counts = ENTRY.unpack_from(data, at)
            if name := name.split(b"\0")[0].decode():
                table[name] = dict(zip(COLUMNS, counts))
        processes.setdefault(pid, {})[image] = table
    return {pid: [images[i] for i in sorted(images)] for pid, images in processes.items()}


def expected(image, outcomes, functions):
    return sum(image[f][o] for f in functions for o in outcomes if f in image)


def compare(image, records):
    """[(events, expected, recorded)] of the rows that differ. `records` is {event word: count}."""
    differences = []
    for events, outcomes, functions in ROWS:
        want, got = expected(image, outcomes, functions), sum(records.get(e, 0) for e in events)
        if events == ["init"]:  # the first sem_open of a name in a process makes an object too
            got -= min(max(0, got - want), image["sem_open"]["ok"])
        if want != got:
            differences.append(("+".join(events), want, got))
    want = expected(image, ["ok"], ["fork", "forkpty", "clone"]) + expected(image, ["called"], ["vfork"])  # a vfork is not seen to come back
    if want != records.get("fork", 0):
        differences.append(("fork", want, records.get("fork", 0)))
    return differences


def compare_glib(image, by_object):
    """The same for GLib's objects; waits that never came back may lack their wake."""
    differences = []
    for kind, events, functions in GLIB:
        want = expected(image, ["called"], functions)
        got = sum(by_object.get(kind, {}).get(e, 0) for e in events)
        if want != got and not (events == ["cond-wake"] and 0 < want - got < 100):
            differences.append((kind + " " + "+".join(events), want, got))
    return differences


def total(image):
    """Calls that the table covers, for a report."""
    return sum(c["called"] for c in image.values())
