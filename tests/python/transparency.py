#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does the probe change what Python programs do? Each program of programs/ as it is and recorded, on every interpreter, in many ways.

    transparency.py [--python LIST] [--only NAME,…] [--ways NAME,…] LIBTHRUM EMBED

Output, errors and exit status have to be the same. Where native runs differ among themselves, numbers and the order of lines are set
aside. `--python`: interpreters, by commas (default: the variable THRUM_PYTHONS, else every python3.N in PATH). EMBED is the program
embed.c. Exit status: 0 nothing differs, 1 something does, 77 no interpreter that the probe enters.
"""
import argparse
import concurrent.futures
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = os.path.join(HERE, "programs")
MASKS = [(re.compile(r"0x[0-9a-f]+"), "0x#"), (re.compile(r"(ident=|owner=|Thread-|pid=|line )\d+"), r"\1#"), (re.compile(r"/tmp/\S*?(?=/[^/\s]*\.py)"), "/tmp")]
WIDTH = 600  # of a line that is shown
NATIVE_RUNS = 3  # what at least that many natives say alike has to be said by a recorded one

EMBEDDED = """
import threading, asyncio
lock, rlock = threading.Lock(), threading.RLock()
with lock, rlock:
    t = threading.Thread(target=lambda: rlock.acquire(False))
    t.start()
    t.join()
async def f():
    async with asyncio.Lock():
        await asyncio.gather(*(asyncio.sleep(0, i) for i in range(3)))
asyncio.new_event_loop().run_until_complete(f())
print("works", flush=True)
"""


class Place:
    """Where one interpreter's runs happen: the programs, an archive, a virtual environment."""

    def __init__(self, python, scratch):
        self.python, self.dir = python, scratch
        os.makedirs(scratch)
        self.version = subprocess.run([python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], stdout=subprocess.PIPE, check=True,
                                      universal_newlines=True).stdout.strip()

    def archive(self, program):
        to = os.path.join(self.dir, program + ".pyz")
        source = os.path.join(self.dir, "zip-" + program)
        os.makedirs(source, exist_ok=True)
        shutil.copy(os.path.join(PROGRAMS, program + ".py"), os.path.join(source, "__main__.py"))
        subprocess.run([self.python, "-m", "zipapp", source, "-o", to], check=True)
        return to

    def environment(self):
        to = os.path.join(self.dir, "venv")
        if not os.path.exists(to):
            subprocess.run([self.python, "-m", "venv", "--without-pip", to], check=True)
        return os.path.join(to, "bin", "python")

    def libpython(self):
        code = "import sysconfig as s; print(s.get_config_var('LIBDIR') + '/' + s.get_config_var('INSTSONAME'))"
        path = subprocess.run([self.python, "-c", code], stdout=subprocess.PIPE, check=True, universal_newlines=True).stdout.strip()
        return path if ".so" in path and os.path.exists(path) else None

    def prefix(self):
        return subprocess.run([self.python, "-c", "import sys; print(sys.base_prefix)"], stdout=subprocess.PIPE, check=True,
                              universal_newlines=True).stdout.strip()


def script(place, program, embed):
    return [place.python, os.path.join(PROGRAMS, program + ".py")], {}


def flags(*list_of):
    return lambda place, program, embed: ([place.python, *list_of, os.path.join(PROGRAMS, program + ".py")], {})


def text(program):
    with open(os.path.join(PROGRAMS, program + ".py"), encoding="utf-8") as f:
        return f.read()


def embedded(rounds):
    def way(place, program, embed):
        library = place.libpython()
        return ([embed, library, str(rounds), EMBEDDED], {"PYTHONHOME": place.prefix()}) if library else None
    return way


WAYS = {
    "script": script,
    "-c": lambda p, n, e: ([p.python, "-c", text(n)], {}),
    "-m": lambda p, n, e: ([p.python, "-m", "programs." + n], {"PYTHONPATH": HERE}),
    "stdin": lambda p, n, e: ([p.python, "-"], {"": text(n)}),
    "zipapp": lambda p, n, e: ([p.python, p.archive(n)], {}),
    "venv": lambda p, n, e: ([p.environment(), os.path.join(PROGRAMS, n + ".py")], {}),
    "-I": flags("-I"), "-E": flags("-E"), "-S": flags("-S"), "-I -E -S": flags("-I", "-E", "-S"), "-O": flags("-O"), "-u -B": flags("-u", "-B"),
    "-X dev": flags("-X", "dev"), "-W error": flags("-W", "error"),
    "debug": lambda p, n, e: (script(p, n, e)[0], {"PYTHONASYNCIODEBUG": "1"}),
    "malloc": lambda p, n, e: (script(p, n, e)[0], {"PYTHONMALLOC": "debug"}),
    "argument": lambda p, n, e: (script(p, n, e)[0] + ["x"], {}),
    "embedded": embedded(1),
    "embedded twice": embedded(3),
}

# Programs and the ways in which each is run beside "script".
TABLE = {
    "state": [w for w in WAYS if not w.startswith("embedded")],
    "tasks": ["-c", "stdin", "-I -E -S", "-X dev", "debug", "malloc"],
    "threads": ["-c", "-X dev", "malloc"],
    "counts": ["debug"],
    "introspect": ["-O"],
    "signals": ["argument"],
    "forks": ["-X dev"],
    "processes": ["venv", "-I"],
    "tracing": [],
    "depth": [],
    "shutdown": ["argument", "malloc"],
    "odd": [],
    "subinterpreter": [],
    "embedded": ["embedded", "embedded twice"],
}


def masked(outcome):
    status, out, err = outcome
    for pattern, to in MASKS:
        out, err = pattern.sub(to, out), pattern.sub(to, err)
    return status, out, err


def loose(outcome):
    status, *texts = masked(outcome)
    return (status, *(tuple(sorted(set(re.sub(r"\d+", "#", t).splitlines()))) for t in texts))


def run(argv, extra, libthrum):
    """(status, stdout, stderr)"""
    work = tempfile.mkdtemp(prefix="thrum-py-")
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "LD_PRELOAD", "THRUM", "PYENV"))}
    env.update({k: v for k, v in extra.items() if k}, LC_ALL="C.UTF-8", TZ="UTC", PYTHONHASHSEED="0", PYTHONDONTWRITEBYTECODE="1")
    if libthrum:
        env.update(LD_PRELOAD=libthrum, THRUM_OPTIONS="dir=" + os.path.join(work, "trace"))
        os.mkdir(os.path.join(work, "trace"))
    os.mkdir(os.path.join(work, "cwd"))
    try:
        r = subprocess.run(argv, cwd=os.path.join(work, "cwd"), env=env, input=extra.get(""), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           encoding="utf-8", errors="replace", timeout=180, check=False)
        return r.returncode, r.stdout, r.stderr
    except subprocess.TimeoutExpired:
        return "timeout", "", ""
    finally:
        shutil.rmtree(work, ignore_errors=True)


def difference(place, program, way, options):
    """None when a recorded run is like the native ones, else text; False when there is no such way here."""
    how = WAYS[way](place, program, options.embed)
    if how is None:
        return False
    recorded = [run(*how, options.libthrum)]
    native = [run(*how, None)]
    if masked(recorded[0]) == masked(native[0]):
        return None
    for _ in range(NATIVE_RUNS - 1):
        native.append(run(*how, None))
        recorded.append(run(*how, options.libthrum))
    if {masked(r) for r in recorded} & {masked(r) for r in native}:
        return None
    if len({masked(n) for n in native}) > 1 and {loose(r) for r in recorded} & {loose(n) for n in native}:
        return None
    return shown(masked(native[0]), masked(recorded[0]))


def shown(native, recorded):
    parts = [f"  status {native[0]} / {recorded[0]} recorded"]
    for a, b in zip(native[1:], recorded[1:]):
        a, b = a.splitlines(), b.splitlines()
        parts += [f"  - {line[:WIDTH]}" for line in a if line not in b] + [f"  + {line[:WIDTH]}" for line in b if line not in a]
    return "\n".join(parts[:20])


def interpreters(options):
    list_of = options.python.split(",") if options.python else os.environ.get("THRUM_PYTHONS", "").split(":")
    list_of = [p for p in list_of if p] or sorted(p for d in os.environ["PATH"].split(":") for p in glob.glob(d + "/python3.[0-9]*")
                                                  if re.search(r"/python3\.\d+$", p))
    return list(dict.fromkeys(found for p in list_of if (found := program_of(p))))


def program_of(python):
    """The program itself, where `python` may be a script that starts it; None when it is too old or does not run."""
    code = "import os, sys; sys.version_info < (3, 8) or print(os.path.realpath(sys.executable))"
    try:
        return subprocess.run([python, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, universal_newlines=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def main():
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that started us in the background has it ignored
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--python", default="", metavar="LIST")
    p.add_argument("--only", default="", metavar="LIST")
    p.add_argument("--ways", default="", metavar="LIST")
    p.add_argument("-j", type=int, default=2, metavar="N")
    p.add_argument("libthrum")
    p.add_argument("embed")
    options = p.parse_args()
    options.libthrum, options.embed = os.path.abspath(options.libthrum), os.path.abspath(options.embed)
    found = interpreters(options)
    if not found:
        print("no interpreter")
        return 77
    scratch = tempfile.mkdtemp(prefix="thrum-py-places-")
    bad = done = 0
    try:
        places = [Place(python, os.path.join(scratch, str(i))) for i, python in enumerate(found)]
        jobs = [(place, program, way) for place in places for program, ways in TABLE.items() for way in (["script"] if program != "embedded" else []) + ways
                if (not options.only or program in options.only.split(",")) and (not options.ways or way in options.ways.split(","))]
        with concurrent.futures.ThreadPoolExecutor(options.j) as pool:
            for (place, program, way), result in zip(jobs, pool.map(lambda job: difference(*job, options), jobs)):
                done += result is not False
                if result:
                    bad += 1
                    print(f"{place.python} ({place.version}) {program} {way}:\n{result}", flush=True)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print(f"{done} runs on {len(found)} interpreters, {bad} differ")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
