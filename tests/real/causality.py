# SPDX-License-Identifier: MIT
"""What `thrum dump` says of the loops and tasks of a real program, held against what must be true of any.

Of every process: a callback belongs to a task that was made before, and armed before where its kind is armed; callbacks nest,
run on a thread that drives a loop (or on one of a pool), and never come after the task's end. Of a program of which something is
known (`Sees`): the kinds of tasks, who made and armed them, and the functions that they called.
"""
import collections
import fnmatch
import re
import subprocess

import tools

LINE = re.compile(r"\s*(\d+\.\d{9})  (\d+)(?: .*?)?  (task|task-new|task-arm|loop|turn)(?= )(.*)$")
PROCESS = re.compile(r"# process (\S+?)(?:: (.*))?$")
TASK = re.compile(r" task=(\d+)")
NAME = re.compile(r" task=\d+ (.+?) step=")
AWAITS = re.compile(r"# task \d+ (.*?)(?: flags=\S+)? looked=\S+(?: stack=\d+ \((.*)\))?$")
WORD = re.compile(r" step=([\w-]+)")
KIND = re.compile(r" kind=(.*)$")
FUNCTION = re.compile(r" stack=\d+ \((.*?)\)(?= task=| step=| seq=| once| to-call|$)")

# Kinds that a pool's threads run, and kinds that must be armed before their first callback, unless that is of their close.
ARMED = ("timer (libuv)", "idle handle (libuv)", "poll handle (libuv)", "UDP handle (libuv)", "event (libevent)")
WORK = ("work request (libuv)", "async task's function (GIO)", "work item (GLib)", "runnable (Qt)", "work item (concurrent.futures)")


class Task:
    def __init__(self, kind, made_by, made_in):
        self.kind, self.made_by, self.made_in = kind, made_by, made_in
        self.armed_by, self.to_call = set(), set()
        self.called = self.armed = 0
        self.closed = self.over = False


class Process:
    def __init__(self, name, command):
        self.name, self.command = name, command
        self.tasks = {}
        self.open = collections.defaultdict(list)  # thread: tasks whose callbacks it is in
        self.drives = collections.Counter()  # thread: loops it runs
        self.depths = collections.defaultdict(list)  # thread: callbacks it was in when it began to
        self.loops_run = self.turns = 0
        self.names = set()
        self.awaits = []  # (task and what it waits for, chain)
        self.wrong = collections.OrderedDict()  # what: [first example, times]

    def say(self, what, line):
        self.wrong.setdefault(what, [line.strip()[:160], 0])[1] += 1

    def feed(self, line):
        found = LINE.match(line)
        if not found:
            if found := AWAITS.match(line.rstrip("\n")):
                self.awaits.append((found[1], found[2] or ""))
            return
        _, thread, op, rest = found.groups()
        if op == "loop":
            self._loop(thread, WORD.search(rest).group(1), line)
            return
        if op == "turn":
            self.turns += 1
            self.drives[thread] = max(1, self.drives[thread])  # a loop that its library runs in a thread of its own
            return
        task = self.tasks.get(number := TASK.search(rest).group(1))
        functions = FUNCTION.findall(rest)
        if op == "task-new":
            self.tasks[number] = Task(KIND.search(rest).group(1), functions[0] if functions else "",
                                      self.open[thread][-1] if self.open[thread] else None)
        elif task is None:
            self.say(f"{op} of a task that was never made", line)
        elif op == "task-arm":
            arm, _, call = rest.partition(" to-call")
            task.armed += 1
            task.armed_by.update(FUNCTION.findall(arm))
            task.to_call.update(FUNCTION.findall(call))
        else:
            if found := NAME.search(rest):
                self.names.add((number, found[1]))
            self._step(thread, task, WORD.search(rest).group(1), functions, line)

    def _loop(self, thread, step, line):
        if step == "run":
            self.drives[thread] += 1
            self.loops_run += 1
            self.depths[thread].append(len(self.open[thread]))
        elif step == "left":
            self.drives[thread] -= 1
            if not self.depths[thread] or self.depths[thread].pop() != len(self.open[thread]):
                self.say("a loop left in another callback than it was run in", line)

    def _step(self, thread, task, step, functions, line):
        if step == "called":
            if task.over:
                self.say(f"{task.kind}: called after its end", line)
            if task.kind in ARMED and not task.armed and not task.closed:
                self.say(f"{task.kind}: called, but never armed", line)
            if not self.drives[thread] and task.kind not in WORK:
                self.say(f"{task.kind}: called outside of a loop", line)
            task.called += 1
            task.to_call.update(functions)
            self.open[thread].append(task)
        elif step in ("returned", "worked"):
            if not self.open[thread] or self.open[thread].pop() is not task:
                self.say(f"{task.kind}: {step}, but not called last", line)
        elif step == "closed":
            task.closed = True
        elif step in ("finished", "destroyed"):
            task.over = True


class Sees:
    """What a trace must show, at the small scale. `loops`: how many run; `kinds`: {kind as in the dump: how many callbacks at
    least}; `chains`: (made or armed by, kind, calls), patterns of functions' names, "" where the program has no symbols; `names`:
    {pattern of a task's name: how many have one like it at least}; `awaits`: (task and what it waits for, its frames), patterns."""

    def __init__(self, loops, kinds, chains=(), turns=0, names=None, awaits=()):
        self.loops, self.kinds, self.chains, self.turns = loops, kinds, chains, turns
        self.names, self.awaits = names or {}, awaits


def read(trace):
    """[Process, …] of a trace."""
    p = subprocess.Popen([tools.built("thrum"), "dump", "--filter", "op=task*,op=loop,op=turn", trace], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors="replace")
    processes = []
    with p.stdout:
        for line in p.stdout:
            if found := PROCESS.match(line):
                processes.append(Process(*found.groups()))
            elif processes:
                processes[-1].feed(line)
    if p.wait():
        raise OSError("thrum dump cannot read the trace")
    return processes


def _has_chain(tasks, maker, kind, callee):
    def fits(pattern, names):
        return not pattern or any(fnmatch.fnmatchcase(n, pattern) for n in names)

    return any(t.kind == kind and t.called and fits(maker, {t.made_by, *t.armed_by}) and fits(callee, t.to_call) for t in tasks)


def _check_names(processes, sees, problems):
    for pattern, n in sees.names.items():
        found = sum(fnmatch.fnmatchcase(name, pattern) for p in processes for _, name in p.names)
        if found < n:
            problems.append(f"{found} tasks by the name of {pattern}, expected {n}")
    for task, chain in sees.awaits:
        if not any(fnmatch.fnmatchcase(t, task) and fnmatch.fnmatchcase(c, chain) for p in processes for t, c in p.awaits):
            problems.append(f"no task that was seen waiting as in {task}, at {chain}")


def check(trace, sees, problems):
    """Appends what is wrong; returns (tasks, callbacks, turns)."""
    processes = read(trace)
    for p in processes:
        problems += [f"{p.name} ({p.command}): {what}, {n} times: {line}" for what, (line, n) in p.wrong.items()]
    tasks = [t for p in processes for t in p.tasks.values()]
    loops, callbacks = sum(p.loops_run for p in processes), sum(t.called for t in tasks)
    turns = sum(p.turns for p in processes)
    if sees:
        if turns < sees.turns:
            problems.append(f"{turns} turns of loops, expected {sees.turns}")
        if loops < sees.loops:
            problems.append(f"{loops} loops ran, expected {sees.loops}")
        called = collections.Counter()
        for t in tasks:
            called[t.kind] += t.called
        problems += [f"{called[kind]} callbacks of {kind}, expected {n}" for kind, n in sees.kinds.items() if called[kind] < n]
        problems += [f"no {kind} made or armed by {maker or 'anybody'} that calls {callee or 'anything'}"
                     for maker, kind, callee in sees.chains if not _has_chain(tasks, maker, kind, callee)]
        _check_names(processes, sees, problems)
    return len(tasks), callbacks, turns
