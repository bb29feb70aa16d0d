# SPDX-License-Identifier: MIT
"""Side by side: native, thrum, Helgrind and a TSan build, in turn within a round, so that a busy machine slows all of them.

Each figure is a median over rounds of the ratio to native in the same round. Prints a table; --json keeps the figures;
--write-docs turns them into docs/performance.md. Exit status 0 when every row ran, 1 when one failed, 64 usage.
"""
import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time

import measure
import micro
import predict
import table
import tools
from inputs import Inputs
from loop_servers import LOOP_SERVERS
from programs import PROGRAMS
from servers import SERVERS

DOCS = os.path.join(tools.BENCH, "..", "docs", "performance.md")
RESULTS = os.path.join(tools.BENCH, "results", "latest.json")


def parse(argv):
    p = argparse.ArgumentParser(prog="bench/run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--quick", action="store_true", help="three rounds, smaller micro counts, no Helgrind on real programs")
    p.add_argument("--only", default="", metavar="A,B", help="rows by name, or the groups micro, real and predict")
    p.add_argument("--rounds", type=int, default=5, metavar="N", help="paired rounds (default 5)")
    p.add_argument("--tools", default="", metavar="A,B",
                   help=f"beside native: {', '.join(t for t in tools.TOOLS if t != 'native')} (default thrum,tsan,helgrind)")
    p.add_argument("--json", default="", metavar="OUT", help="write the figures to OUT")
    p.add_argument("--merge", default="", metavar="FILE", help="keep the rows and tools of an earlier --json that this run did not measure")
    p.add_argument("--list", action="store_true", help="name the rows and say what is missing")
    p.add_argument("--write-docs", action="store_true",
                   help="write docs/performance.md from bench/results/latest.json (or --json's file), measuring nothing")
    options = p.parse_args(argv)
    if options.quick and options.rounds == 5:
        options.rounds = 3
    options.tools = [t for t in (options.tools or "thrum,tsan,helgrind").split(",") if t]
    unknown = [t for t in options.tools if t not in tools.TOOLS]
    if unknown:
        p.error(f"no tool {unknown[0]!r}")
    return options


def select(options):
    rows = [("micro", w) for w in micro.WORKLOADS] + [("real", p) for p in [*PROGRAMS, *SERVERS, *LOOP_SERVERS]]
    if not options.only:
        return rows
    wanted = options.only.split(",")
    unknown = [w for w in wanted if w not in {"micro", "real", "predict", *(r.name for _, r in rows)}]
    if unknown:
        print(f"bench: no row {unknown[0]!r}; --list names them", file=sys.stderr)
        sys.exit(64)
    return [(group, r) for group, r in rows if group in wanted or r.name in wanted]


def say(text):
    print(text, file=sys.stderr, flush=True)


def real_row(program, options, inputs, scratch):
    """One row: rounds at full scale for fast tools, at small scale (with native beside) for slow ones."""
    row = {"group": "real", "title": program.title, "bar": program.bar, "tools": {}}
    absent = program.missing()
    if absent:
        return dict(row, skipped=absent)
    for scale in ("full", "small"):
        chosen = [tools.TOOLS[t] for t in options.tools if tools.TOOLS[t].scale == scale and t != "tsan"]
        if scale == "small" and options.quick:
            chosen = []
        reasons = {t.name: t.missing() or ("does not cope" if t.name in program.unfit else None) for t in chosen}
        row["tools"].update({name: {"skipped": why} for name, why in reasons.items() if why})
        chosen = [t for t in chosen if not reasons[t.name]]
        if chosen:
            rounds = options.rounds if scale == "full" else 1  # a hundredfold needs no median
            measure_scale(row, program, [tools.TOOLS["native"], *chosen], scale, rounds, inputs, scratch)
    return row


def measure_scale(row, program, chosen, scale, rounds, inputs, scratch):
    samples = {t.name: [] for t in chosen}
    for _ in range(rounds):
        for tool in chosen:
            work = tempfile.mkdtemp(dir=scratch)
            try:
                s = program.run(tool, scale, inputs, work)
                samples[tool.name].append({"cpu": s.cpu_s / s.units, "wall": s.wall_s / s.units, "rss_kib": s.rss_kib,
                                           "output": s.output, "units": s.units, **trace_figures(tool, work)})
            except (measure.Failed, OSError, TimeoutError) as e:
                samples[tool.name].append(None)
                if tool.scale == "full":
                    row.setdefault("failed", []).append(f"{tool.name}: {e}")
                else:
                    row["tools"][tool.name] = {"skipped": str(e)}
            finally:
                shutil.rmtree(work, ignore_errors=True)
        if any(s[-1] is None for s in samples.values()):
            break  # said so; the other rounds would say the same
    store(row, samples, scale, program.same_output)


def trace_figures(tool, work):
    if not isinstance(tool, tools.Thrum):
        return {}
    trace = os.path.join(work, "trace")
    info = tools.trace_info(trace)
    total, sealed = tools.trace_bytes(trace)
    figures = {"trace_bytes": total, "sealed_bytes": sealed}
    if info:
        figures["events"], figures["lost"] = tools.trace_events(info)
    return figures


def store(row, samples, scale, same_output):
    native = samples["native"]
    for name, list_of in samples.items():
        pairs = [(n, s) for n, s in zip(native, list_of) if n and s]
        if not pairs:
            continue
        entry = {"rounds": len(pairs), "scale": scale}
        for key in ("cpu", "wall"):
            ratios = [s[key] / n[key] for n, s in pairs]
            entry[key] = measure.median(s[key] for _, s in pairs)
            entry[key + "_ratio"], entry[key + "_spread"] = measure.median(ratios), measure.spread(ratios)
        for key in ("rss_kib", "events", "lost", "trace_bytes", "sealed_bytes", "units"):
            if pairs[0][1].get(key) is not None:
                entry[key] = measure.median(s[key] for _, s in pairs)
        if same_output and any(s["output"] != n["output"] for n, s in pairs):
            row.setdefault("failed", []).append(f"{name}: output differs from native")
        row["tools"][name if scale == "full" or name != "native" else "native-small"] = entry


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                  if line.startswith("model name")), platform.machine())
    with open("/etc/os-release", encoding="utf-8") as f:
        name = next((line.split("=")[1].strip().strip('"') for line in f if line.startswith("PRETTY_NAME")), "")
    return {"cpus": os.cpu_count(), "model": model, "system": name, "kernel": platform.release().split("-")[0],
            "libc": platform.libc_ver()[1], "date": time.strftime("%Y-%m-%d"), "load": round(os.getloadavg()[0], 1)}


def measure_all(options):
    results = {"schema": "thrum-bench/1", "machine": machine(), "rounds": options.rounds, "rows": {}}
    scratch = tempfile.mkdtemp(prefix="thrum-bench-")
    try:
        os.mkdir(os.path.join(scratch, "inputs"))
        inputs = Inputs(os.path.join(scratch, "inputs"))
        for group, row in select(options):
            say(f"bench: {row.name}")
            if group == "micro":
                results["rows"][row.name] = micro.measure_row(row, options, scratch)
            else:
                results["rows"][row.name] = real_row(row, options, inputs, scratch)
            for line in table.row_lines(row.name, results["rows"][row.name]):
                print(line, flush=True)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return results


def merged(old, new):
    """Rows and tools of `old` that `new` did not measure are kept; the order is that of the tables."""
    rows = {**old, **new}
    for name in old.keys() & new.keys():
        rows[name] = dict(new[name], tools={**old[name].get("tools", {}), **new[name].get("tools", {})})
    order = [r.name for r in [*micro.WORKLOADS, *PROGRAMS, *SERVERS, *LOOP_SERVERS]]
    return {name: rows[name] for name in order if name in rows}


def list_rows(options):
    for group, row in select(options):
        print(f"{group:5} {row.name:17} {row.title:50} {row.missing() or ''}".rstrip())


def main(argv):
    options = parse(argv)
    if options.list:
        list_rows(options)
        return 0
    if options.write_docs:
        with open(options.json or RESULTS, encoding="utf-8") as f, open(DOCS, "w", encoding="utf-8") as out:
            out.write(table.document(json.load(f)))
        predict.write_plot(os.path.dirname(DOCS))
        return 0
    for t in options.tools:
        if tools.TOOLS[t].missing():
            say(f"bench: {t} left out: {tools.TOOLS[t].missing()}")
    results = measure_all(options)
    if not options.only or "predict" in options.only.split(","):
        predict.main(["--build", tools.BUILD, *(["--quick"] if options.quick else []), *(["--write"] if options.json else [])])
    if options.merge:
        with open(options.merge, encoding="utf-8") as f:
            results["rows"] = merged(json.load(f)["rows"], results["rows"])
    print()
    print(table.summary(results))
    if options.json:
        os.makedirs(os.path.dirname(os.path.abspath(options.json)), exist_ok=True)
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump(results, f, indent=1)
            f.write("\n")
    return 1 if any("failed" in r for r in results["rows"].values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
