# SPDX-License-Identifier: MIT
"""Holds a JSON report against a sample's expectation. Pure: returns a list of complaints, runs and prints nothing."""

import os
import re

from sample_header import LEVELS, number_range

# Notes whose presence depends on the machine's load: never an extra finding, never a required one.
TIMING_NOTES = {"lock-contention", "hold-time"}

# Start-up code that the C library links into every program without debug information.
RUNTIME_FRAMES = {"_start", "_init", "_fini", "__do_global_dtors_aux", "frame_dummy"}
# Those of a sanitizer's run time that is linked into the program.
SANITIZER = ("__interceptor_", "___interceptor_", "__tsan_", "__sanitizer", "operator new", "operator delete")

# The module of a Python program's own frames; those of packages and of the standard library are not the program's.
PYTHON = "[python]"


def word_in(word, text):
    return re.search(r"(?<![\w])" + re.escape(word) + (r"" if word.endswith("0x") else r"(?![\w])"), text) is not None


def frames_of(stack):
    return (stack or {}).get("frames", [])


def functions_of(stacks):
    return [f.get("function", "") for s in stacks for f in frames_of(s)]


def source_lines(stacks):
    """The text of the lines that frames are at, of files that are there."""
    lines = set()
    for frame in [f for s in stacks for f in frames_of(s) if f.get("line") and os.path.isfile(f.get("file", ""))]:
        with open(frame["file"], encoding="utf-8", errors="replace") as source:
            lines.update(text.strip() for number, text in enumerate(source, 1) if number == frame["line"])
    return sorted(lines)


def describe(finding):
    return "%s/%s/%s %r" % (finding.get("rule"), finding.get("confidence"), finding.get("level"), finding.get("title"))


def is_about(pattern, finding):
    """Of several findings of one rule a pattern takes the one with its tasks."""
    have = [t.get("name", "") for t in finding.get("tasks", [])]
    return all(any(word_in(name, n) for n in have) for name in pattern.names("tasks"))


def check_details(pattern, finding):
    """What is wrong with a finding that `pattern` is about."""
    wrong = []
    stacks = finding.get("stacks", [])
    names = functions_of(stacks)
    for function in pattern.names("stacks"):
        if not any(word_in(function, n) for n in names):
            wrong.append("no stack shows %s (has: %s)" % (function, ", ".join(sorted(set(names))[:20])))
    for lock in pattern.names("locks"):
        have = [l.get("name", "") for l in finding.get("locks", [])]
        if not any(word_in(lock, n) for n in have):
            wrong.append("no lock is called %s (has: %s)" % (lock, ", ".join(have)))
    for name in pattern.names("threadnames"):
        have = [t.get("name", "") for t in finding.get("threads", [])]
        if name not in have:
            wrong.append("no thread is called %s (has: %s)" % (name, ", ".join(have)))
    for role in pattern.names("roles"):
        if role not in [s.get("role") for s in stacks]:
            wrong.append("no stack with role %s (has: %s)" % (role, ", ".join(s.get("role", "?") for s in stacks)))
    for function in pattern.names("created"):
        created = functions_of([t.get("created_at") for t in finding.get("threads", [])])
        if not any(word_in(function, n) for n in created):
            wrong.append("no thread was created in %s (has: %s)" % (function, ", ".join(created)))
    for kind in pattern.names("taskkinds"):
        have = [t.get("kind", "") for t in finding.get("tasks", [])]
        if kind.replace("+", " ") not in have:
            wrong.append("no task is a %s (has: %s)" % (kind, ", ".join(have)))
    for words in pattern.names("says"):
        if words.replace("+", " ") not in finding["title"] + " " + finding["message"]:
            wrong.append("does not say %r: %r" % (words.replace("+", " "), finding["message"]))
    if pattern.names("lines"):
        have = source_lines(stacks)
        wrong += ["no frame is at %r (they are at: %s)" % (text, ", ".join(have)) for text in pattern.names("lines")
                  if not any(text.replace("+", " ") in line for line in have)]
    if "threads" in pattern.keys:
        low, high = number_range(pattern.keys["threads"])
        have = len(finding.get("threads", []))
        if not low <= have <= high:
            wrong.append("%d threads, expected %s" % (have, pattern.keys["threads"]))
    if "occurs" in pattern.keys:
        low, high = number_range(pattern.keys["occurs"])
        if not low <= finding.get("count", 0) <= high:
            wrong.append("count is %s, expected %s" % (finding.get("count"), pattern.keys["occurs"]))
    if "edges" in pattern.keys:
        need = 2 * int(pattern.keys["edges"])
        if len(stacks) < need:
            wrong.append("%d stacks for %s edges: each needs where it holds and where it wants" %
                         (len(stacks), pattern.keys["edges"]))
    return wrong


def check_frames(finding, binaries, stripped):
    """Every stack is resolved, and nothing of the recorder shows."""
    wrong = []
    stacks = [(s.get("role", "?"), s) for s in finding.get("stacks", [])]
    stacks += [("created_at", t["created_at"]) for t in finding.get("threads", []) if "created_at" in t]
    stacks += [("first_seen", l["first_seen"]) for l in finding.get("locks", []) if "first_seen" in l]
    for role, stack in stacks:
        frames = frames_of(stack)
        if not frames:
            wrong.append("%s stack without frames" % role)
            continue
        own = 0
        for f in frames:
            module, function = os.path.basename(f.get("module", "")), f.get("function", "")
            if "libthrum" in module or function.startswith(("shim_", "wrap_")):
                wrong.append("frame of the recorder in a %s stack: %s %s" % (role, function, module))
            if module not in binaries and module != PYTHON:
                continue
            own += 1
            if stripped and module != PYTHON:
                if not f.get("build_id") or "offset" not in f:
                    wrong.append("frame without build-id or offset in a %s stack" % role)
            elif function not in RUNTIME_FRAMES and not function.startswith(SANITIZER) and not (function and f.get("file") and f.get("line")):
                wrong.append("unresolved frame in a %s stack: %r" % (role, f))
        # A callback alone may be a library's; so may a thread of Python's library.
        if not own and len(frames) > 1 and frames[-1].get("function") != "Thread._bootstrap" and finding["rule"] not in TIMING_NOTES:
            wrong.append("no frame of the program in a %s stack: %s" % (role, ", ".join(functions_of([stack]))))
    return wrong


def check_findings(sample, report, binaries):
    """Complaints about the findings of `report` for `sample`; empty when all is as expected."""
    wrong = []
    left = list(report["findings"])
    for pattern in sample.expect:
        hits = [f for f in left if pattern.covers(f) and is_about(pattern, f)]
        hits.sort(key=lambda f, p=pattern: len(check_details(p, f)))  # the one that fits best
        low, high = pattern.count
        taken = hits[:high]
        if len(taken) < low:
            wrong.append("expected %r, found %d of it" % (pattern.text, len(taken)))
        for f in taken:
            left.remove(f)
            wrong += ["%s: %s" % (f["rule"], w) for w in check_details(pattern, f)]
    for f in left:
        if f["rule"] in TIMING_NOTES and f["level"] == "note" and f["rule"] not in sample.never:
            continue
        if any(a.covers(f) for a in sample.allow):
            continue
        wrong.append("extra finding: " + describe(f))
    for f in report["findings"]:
        wrong += ["%s: %s" % (f["rule"], w) for w in check_frames(f, binaries, "stripped" in sample.run)]
        for key in ("rule", "confidence", "level", "fingerprint", "count", "title", "message", "suppression"):
            if key not in f:
                wrong.append("finding without %s" % key)
        if f.get("level") not in LEVELS:
            wrong.append("unknown level %r" % f.get("level"))
    return wrong


def check_report(report, status, own_status, timed_out_allowed):
    """The parts of a report that do not depend on the sample: schema, summary, status."""
    wrong = []
    if report.get("schema") != "thrum-findings/1":
        wrong.append("schema is %r" % report.get("schema"))
    findings = report["findings"]
    gated = [f for f in findings if f.get("gated")]
    summary = report.get("summary", {})
    for key, count in (("gated", len(gated)),
                       ("errors", sum(f["level"] == "error" for f in findings)),
                       ("warnings", sum(f["level"] == "warning" for f in findings)),
                       ("notes", sum(f["level"] == "note" for f in findings))):
        if summary.get(key) != count:
            wrong.append("summary.%s is %r, counted %d" % (key, summary.get(key), count))
    if gated:
        expected, verdict = 66, "findings"
    elif timed_out_allowed:
        expected, verdict = 124, "timeout"
    else:
        expected, verdict = own_status, None
    if status != expected:
        wrong.append("exit status %d, expected %d" % (status, expected))
    if verdict and report.get("verdict") != verdict:
        wrong.append("verdict is %r, expected %r" % (report.get("verdict"), verdict))
    prints = [f["fingerprint"] for f in findings]
    if len(prints) != len(set(prints)):
        wrong.append("two findings with the same fingerprint")
    for p in report.get("trace", {}).get("processes", []):
        if p.get("lost"):
            wrong.append("process %s lost %s events" % (p.get("pid"), p["lost"]))
    return wrong
