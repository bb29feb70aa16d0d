#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What predictions cost (analyzer/predict): nanoseconds of one processor an event, over the length of a run, its threads and its locks; and beside
other predictors on the same STD files.

  bench/predict.py --build BUILD [--quick | --huge] [--write]
  bench/predict.py --build BUILD --rapid DIR --sunhang PROGRAM [--write] [FILE.std …]

Runs are made in memory by BUILD/bin/sequences, which times each engine by itself; `text` is a run as STD text through a pipe into `thrum check`, all
of its processor time. --huge adds runs of a thousand million events (14 GiB of memory). --write keeps the figures in bench/results/predict.json, from
which `bench/run --write-docs` makes the table and the plot. RAPID (umangm/rapid) is a folder with its classes in out/, SUnhang (lucan8/SUnhang) its
program; neither is part of this tree. Beside them: rounds in turns, medians of ratios within a round.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
RESULTS = os.path.join(HERE, "results", "predict.json")
PLOT = "predict-scale.svg"

KINDS = {"locks": "variables=0 rings=20", "memory": "rings=20"}
ENGINES = {"d": "deadlocks", "h": "happens-before races", "s": "SHB races"}
LINES = [("locks", "d", "deadlocks, locks only", "#1f77b4"), ("memory", "d", "deadlocks with witnesses", "#d62728"),
         ("memory", "h", "races, happens-before", "#2ca02c"), ("memory", "s", "races, SHB", "#9467bd")]
SERIES = {
    "events": ([10**6, 10**7, 10**8], "threads=16"),
    "threads": ([3, 4, 8, 16, 32, 64, 128, 256], "events=10000000"),
    "locks": ([10, 100, 1000, 10**4, 10**5, 10**6], "events=10000000 threads=16"),
}
QUICK = {"events": [10**6, 10**7], "threads": [4, 16, 64, 256], "locks": [10, 1000, 10**6]}
HUGE = 10**9
BARS = {"text": 20, "memory": 5}  # times RAPID's and SUnhang's rate, times less memory


def point(build, series, value, kind, options):
    """Nanoseconds an event by engine, and bytes an event, of one shape."""
    words = f"{series}={value} {SERIES[series][1]} {KINDS[kind]}".split()
    events = value if series == "events" else 10**7
    words += ["engines=" + ("d" if kind == "locks" else "dhs"), f"rounds={1 if events > 10**7 else options.rounds}"]
    done = subprocess.run([f"{build}/bin/sequences", "measure", *words], capture_output=True, text=True, check=True, timeout=1800)
    figures = json.loads(done.stdout)
    result = {"value": value, "kind": kind, "events": figures["events"], "found": figures["found"], "proven": figures["proven"]}
    for engine in ENGINES:
        if engine + "_s" in figures:
            result[engine] = round(figures[engine + "_s"] * 1e9 / figures["events"], 2)
            result[engine + "_bytes"] = round(figures[engine + "_kib"] * 1024 / figures["events"], 1)
    return result


def measure(build, options):
    series = {}
    for name, (values, _) in SERIES.items():
        values = QUICK[name] if options.quick else values + [HUGE] * (options.huge and name == "events")
        series[name] = []
        for value in values:
            for kind in KINDS:
                p = point(build, name, value, kind, options)
                series[name].append(p)
                cells = "  ".join(f"{ENGINES[e]} {p[e]:6.2f} ns ({1000 / p[e]:4.0f} M/s)" for e in ENGINES if e in p)
                print(f"{name:8} {value:>12,}  {kind:7} {cells}  {p[max(e for e in ENGINES if e in p) + '_bytes']} bytes/event", flush=True)
    return series


def spread(series, kind, engine):
    """The dearest point over the cheapest."""
    costs = [p[engine] for p in series if p["kind"] == kind and engine in p]
    return max(costs) / min(costs)


def ratios(series):
    for name, points in series.items():
        for kind, engine, title, _ in LINES:
            print(f"{name:8} {title:26} dearest / cheapest {spread(points, kind, engine):5.2f}")


# ---- text ----


def peak_kib(pid):
    """So far; 0 = it is gone. Not that of getrusage, which is never less than what this interpreter had when it started the program."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
            found = re.search(r"VmHWM:\s+(\d+)", f.read())
    except OSError:
        return 0
    return int(found[1]) if found else 0


def run(command, stdin=None, timeout=3600, **more):
    """Processor seconds, wall seconds, peak KiB, what it printed."""
    before, kib = time.monotonic(), 0
    with tempfile.TemporaryFile() as out, subprocess.Popen(command, stdin=stdin, stdout=out, stderr=subprocess.STDOUT, **more) as p:
        limit = before + timeout
        while True:
            kib = max(kib, peak_kib(p.pid))
            pid, status, usage = os.wait4(p.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > limit:
                p.kill()
            time.sleep(0.002)
        p.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read().decode(errors="replace")
    return {"cpu": usage.ru_utime + usage.ru_stime, "wall": time.monotonic() - before, "kib": kib, "text": text, "status": p.returncode}


def through_pipe(build, events):
    with subprocess.Popen([f"{build}/bin/sequences", "text", f"events={events}", "rings=20"], stdout=subprocess.PIPE) as made:
        done = run([f"{build}/bin/thrum", "check", "--from=std", "--fail-on=never", "-"], stdin=made.stdout)
    if done["status"]:
        sys.exit(f"predict.py: thrum check: status {done['status']}\n{done['text']}")
    print(f"text     {events:>12,}  {done['cpu'] * 1e9 / events:6.2f} ns of processor time an event, wall {done['wall']:.1f} s, "
          f"peak {done['kib'] / 1024:.0f} MiB ({done['kib'] * 1024 / events:.1f} bytes/event)", flush=True)
    return {"events": events, "ns": round(done["cpu"] * 1e9 / events, 2), "wall_s": round(done["wall"], 1), "mib": round(done["kib"] / 1024)}


# ---- side by side ----


def rapid_command(folder, path):
    jars = [os.path.join(at, name) for at, _, names in os.walk(f"{folder}/lib") for name in sorted(names) if name.endswith(".jar")]
    return ["java", "-Xmx10g", "-Xss512m", "-XX:+UseSerialGC", "-cp", ":".join([f"{folder}/out", *jars]), "HBEpoch", "-f", "std", "-p", path]


def thrum_command(build, path, rules):
    return [f"{build}/bin/thrum", "check", "--from=std", "--fail-on=never", f"--rules={rules}", path]


def counts_of(build, path):
    done = subprocess.run([f"{build}/bin/sequences", "read", path, "engines=dh", "rounds=1"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def without_joins(path, scratch):
    """SUnhang ends on them with a signal."""
    to = os.path.join(scratch, os.path.basename(path))
    with open(path, "rb") as f, open(to, "wb") as out:
        out.writelines(line for line in f if b"|join(" not in line)
    return to


def number(pattern, text):
    found = re.search(pattern, text)
    return int(found.group(1)) if found else None


def beside(name, ours, theirs, rounds, count):
    """Ratios of processor time and memory, in turns."""
    pairs = []
    for _ in range(rounds):
        a, b = run(ours), run(theirs, timeout=900)
        pairs.append((a, b))
        if b["status"]:
            return {"tool": name, "failed": f"ends with {b['status']}"}
    faster = statistics.median(b["cpu"] / a["cpu"] for a, b in pairs)
    smaller = statistics.median(b["kib"] / a["kib"] for a, b in pairs)
    a, b = pairs[-1]
    return {"tool": name, "cpu": round(statistics.median(x["cpu"] for x, _ in pairs), 3), "their_cpu": round(statistics.median(y["cpu"] for _, y in pairs), 3),
            "faster": round(faster, 1), "mib": round(a["kib"] / 1024), "their_mib": round(b["kib"] / 1024), "less_memory": round(smaller, 1),
            "their_count": count(b["text"])}


def side_by_side(build, options, scratch):
    rows = []
    for path in options.files:
        figures = counts_of(build, path)
        row = {"file": os.path.basename(path), "events": figures["events"], "races": f"{figures['hb_events']}/{figures['hb_places']}", "deadlocks": figures["proven"],
               "peers": []}
        if options.rapid:
            row["peers"].append(beside("RAPID", thrum_command(build, path, "data-race"), rapid_command(options.rapid, path), options.rounds,
                                       lambda text: f"{number(r'events found = ([0-9]+)', text)}/{number(r'lines found = ([0-9]+)', text)}"))
        if options.sunhang:
            plain, summary = without_joins(path, scratch), os.path.join(scratch, "summary")
            row["peers"].append(beside("SUnhang", thrum_command(build, plain, "deadlock,lock-order-inversion"), [options.sunhang, plain, summary],
                                       options.rounds, lambda text: summary_count(summary)))
            os.unlink(plain)
        rows.append(row)
        for p in row["peers"]:
            print(row["file"], f"{row['events']:,}", json.dumps(p), flush=True)
    return rows


def summary_count(path):
    with open(path, encoding="utf-8") as f:
        return f.read().count("Deadlock found")


# ---- the page ----


def path_of(points, place_x, place_y):
    return "M" + " L".join(f"{place_x(x):.1f},{place_y(y):.1f}" for x, y in points)


def plot(series):
    """Three panels: nanoseconds an event, both axes by powers."""
    from math import log2, log10
    width, height, left, top, gap = 250, 200, 46, 24, 36
    low, high = 0, 7  # powers of two of nanoseconds
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {3 * (width + gap) + left} {height + 110}" font-family="sans-serif" font-size="11">',
           '<rect width="100%" height="100%" fill="white"/>']
    for k, (name, points) in enumerate(series.items()):
        x0 = left + k * (width + gap)
        values = sorted({p["value"] for p in points})
        first, last = log10(values[0]), log10(values[-1])

        def place_x(v, x0=x0, first=first, last=last):
            return x0 + (log10(v) - first) / (last - first) * width

        def place_y(ns):
            return top + height - (log2(ns) - low) / (high - low) * height
        out.append(f'<rect x="{x0}" y="{top}" width="{width}" height="{height}" fill="none" stroke="#888"/>')
        out.append(f'<text x="{x0 + width / 2}" y="{top + height + 34}" text-anchor="middle">{name}</text>')
        for v in values:
            word = f"{v // 10**9} G" if v >= 10**9 else f"{v // 10**6} M" if v >= 10**6 else f"{v // 1000} k" if v >= 1000 else str(v)
            out.append(f'<text x="{place_x(v):.1f}" y="{top + height + 16}" text-anchor="middle">{word}</text>')
        for power in range(low, high + 1):
            y = place_y(2**power)
            out.append(f'<line x1="{x0}" x2="{x0 + width}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
            if not k:
                out.append(f'<text x="{x0 - 4}" y="{y + 4:.1f}" text-anchor="end">{2**power} ns</text>')
        for kind, engine, _, colour in LINES:
            line = [(p["value"], p[engine]) for p in points if p["kind"] == kind and engine in p]
            out.append(f'<path d="{path_of(line, place_x, place_y)}" fill="none" stroke="{colour}" stroke-width="2"/>')
    for k, (_, _, title, colour) in enumerate(LINES):
        x = left + k * 220
        out.append(f'<line x1="{x}" x2="{x + 20}" y1="{top + height + 62}" y2="{top + height + 62}" stroke="{colour}" stroke-width="2"/>')
        out.append(f'<text x="{x + 26}" y="{top + height + 66}">{title}</text>')
    out.append(f'<text x="{left}" y="14">processor time an event, one core</text></svg>')
    return "\n".join(out) + "\n"


def load():
    try:
        with open(RESULTS, encoding="utf-8") as f:
            return json.load(f)
    except FileNotFoundError:
        return {}


def write(new):
    kept = {**load(), **new}
    with open(RESULTS, "w", encoding="utf-8") as f:
        json.dump(kept, f, indent=1)
        f.write("\n")


def cells(points, kind, engine):
    """A row: nanoseconds over the series, and the spread."""
    found = [p for p in points if p["kind"] == kind and engine in p]
    return [f"{p[engine]:.1f}" for p in found] + [f"{spread(points, kind, engine):.1f}"]


def section(markdown_table, notes):
    """For docs/performance.md: tables by series, the plot, and the other tools."""
    kept = load()
    if "series" not in kept:
        return []
    out = ["## Predictions", "", *notes.get("predict", []), "", f"![cost an event over events, threads and locks]({PLOT})", ""]
    for name, points in kept["series"].items():
        values = sorted({p["value"] for p in points})
        out += [markdown_table([f"ns an event, by {name}", *(f"{v:,}" for v in values), "dearest / cheapest"],
                               [[title, *cells(points, kind, engine)] for kind, engine, title, _ in LINES]), ""]
    if "text" in kept:
        out += [markdown_table(["STD text through a pipe, everything", "ns of processor time an event", "wall", "peak memory"],
                               [[f"{t['events']:,} events", f"{t['ns']:.0f}", f"{t['wall_s']} s", f"{t['mib']:,} MiB"] for t in kept["text"]]), ""]
    if "peers" in kept:
        rows = []
        for row in kept["peers"]:
            for p in row["peers"]:
                ours = row["races"] if p["tool"] == "RAPID" else str(row["deadlocks"])
                if "failed" in p:
                    rows.append([row["file"], p["tool"], "–", "–", p["failed"], "–", ours, "–"])
                    continue
                rows.append([row["file"], p["tool"], f"{p['cpu']:.2f} s", f"{p['their_cpu']:.2f} s", f"{p['faster']:.0f}", f"{p['mib']} / {p['their_mib']} MiB",
                             ours, str(p["their_count"])])
        out += [markdown_table(["STD file", "beside", "thrum", "the other", "times faster", "peak memory", "thrum counts", "the other counts"], rows), "",
                *notes.get("predict_peers", []), ""]
    return out


def write_plot(folder):
    kept = load()
    if "series" in kept:
        with open(os.path.join(folder, PLOT), "w", encoding="utf-8") as f:
            f.write(plot(kept["series"]))


def main(argv):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--build", required=True)
    p.add_argument("--quick", action="store_true")
    p.add_argument("--huge", action="store_true")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--rapid", default="")
    p.add_argument("--sunhang", default="")
    p.add_argument("--write", action="store_true")
    p.add_argument("files", nargs="*")
    options = p.parse_args(argv)
    build = os.path.abspath(options.build)
    if options.files:
        with tempfile.TemporaryDirectory(prefix="thrum-bench-") as scratch:
            new = {"peers": side_by_side(build, options, scratch)}
    else:
        new = {"series": measure(build, options)}
        ratios(new["series"])
        if options.write:
            write(new)
        new["text"] = [through_pipe(build, n) for n in [10**6, 10**7] + [10**8] * (not options.quick) + [HUGE] * options.huge]
    if options.write:
        write(new)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
