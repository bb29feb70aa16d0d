# SPDX-License-Identifier: MIT
"""Figures to text: the lines of a running benchmark, the summary with the bars, and docs/performance.md. Measures nothing."""
import json
import os

import predict

HERE = os.path.dirname(os.path.abspath(__file__))


def _load(name):
    path = os.path.join(HERE, name)
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as f:
        return json.load(f)


BARS = _load("bars.json")


def number(x, digits=2):
    if x is None:
        return "–"
    if abs(x) >= 1000:
        return f"{x:,.0f}"
    return f"{x:.{digits}f}" if abs(x) < 100 else f"{x:.0f}"


def usable(row):
    return {n: t for n, t in row.get("tools", {}).items() if "cpu" in t}


def row_lines(name, row):
    """What is printed when a row is done."""
    if "skipped" in row:
        return [f"{name:17} skipped: {row['skipped']}"]
    lines = []
    for tool, t in usable(row).items():
        unit = "ms" if name == "startup" else "ns/op" if row["group"] == "micro" else "us/unit"
        cpu = t["cpu"] * (1 if row["group"] == "micro" else 1e6)
        extra = f"  {number(bytes_per_event(t))} bytes/event" if bytes_per_event(t) else ""
        extra += f"  lost {t['lost']:.0f}" if t.get("lost") else ""
        lines.append(f"{name:17} {tool:13} {number(cpu, 1):>12} {unit:8} cpu x{number(t['cpu_ratio'])}"
                     f" (+-{number((t['cpu_spread'] or 0) * 100, 1)} %)  wall x{number(t['wall_ratio'])}{extra}")
    lines += [f"{name:17} FAILED {why}" for why in row.get("failed", [])]
    return lines


TRUSTED_SPREAD = 0.1  # a median whose quartiles lie further apart says nothing about a bar of a few per cent
ENOUGH_EVENTS = 100_000  # below, the fixed size of a trace (half a MiB a process) hides the bytes of an event


def bytes_per_event(t):
    """Everything the trace takes on disk: records, stacks, objects, modules and the segments allocated ahead."""
    return t["trace_bytes"] / t["events"] if t.get("events", 0) >= ENOUGH_EVENTS else None


def micro_verdict(name, row):
    """(allowed ratio, verdict) against the bar; by ns where that is met, else by the ratio to native of the reference."""
    bar, t = BARS["micro"].get(name, {}), row["tools"].get("thrum", {})
    if "bar" not in bar or "cpu" not in t:
        return None, ""
    allowed, goal = bar["bar"] / bar["native"], bar["goal"] / bar["native"]
    cpu = float("inf") if bar.get("by_ratio") else t["cpu"]
    if cpu <= bar["goal"] or t["cpu_ratio"] <= goal:
        return allowed, "goal met"
    return allowed, "bar met" if cpu <= bar["bar"] or t["cpu_ratio"] <= allowed else "missed"


def real_verdict(row):
    bar, t = BARS["real"].get(row["bar"], {}), row["tools"].get("thrum", {})
    if "bar" not in bar or "cpu" not in t:
        return None, ""
    ratio = t["cpu_ratio"]
    if ratio <= bar["goal"]:
        return bar["bar"], "goal met"
    if ratio <= bar["bar"]:
        return bar["bar"], "bar met"
    spread = t.get("cpu_spread") or 0
    if ratio <= 1 + max(bar.get("spread", 0), min(spread, TRUSTED_SPREAD)):
        return bar["bar"], "within spread"
    return bar["bar"], "too noisy" if spread > TRUSTED_SPREAD else "missed"


def group(results, which):
    return [(n, r) for n, r in results["rows"].items() if r["group"] == which and n != "startup"]


def cell(row, tool, key="cpu_ratio", digits=2):
    t = row.get("tools", {}).get(tool, {})
    return number(t[key], digits) if t.get(key) is not None else "–"


MICRO_HEAD = ["workload", "native ns", "thrum ns", "thrum / native", "bar", "thrum / TSan", "TSan / native", "Helgrind / native",
              "bytes/event", "MiB added", "verdict"]
REAL_HEAD = ["program", "native", "thrum / native", "spread", "bar", "wall", "Helgrind / native", "M events per CPU s",
             "bytes/event", "MiB added", "verdict"]


def added_mib(row):
    """Peak resident memory that thrum adds to the program."""
    native, thrum = (row.get("tools", {}).get(t, {}).get("rss_kib") for t in ("native", "thrum"))
    return number((thrum - native) / 1024, 1) if native and thrum else "–"


def micro_cells(name, row):
    allowed, verdict = micro_verdict(name, row)
    t = row.get("tools", {}).get("thrum", {})
    return [name, cell(row, "native", "cpu", 1), cell(row, "thrum", "cpu", 1), cell(row, "thrum"),
            f"≤ {number(allowed)}" if allowed else "–", cell(row, "thrum", "to_tsan"), cell(row, "tsan"), cell(row, "helgrind"),
            number(bytes_per_event(t)), added_mib(row), verdict]


def native_cost(row):
    t = row["tools"].get("native", {})
    if "cpu" not in t:
        return "–"
    return f"{number(t['cpu'])} s" if t.get("units") == 1 else f"{number(t['cpu'] * 1e6, 1)} us/unit"


def real_cells(name, row):
    if "skipped" in row:
        return [name, "skipped: " + row["skipped"], *["–"] * (len(REAL_HEAD) - 2)]
    allowed, verdict = real_verdict(row)
    t = row["tools"].get("thrum", {})
    rate = t["events"] / (t["cpu"] * t["units"]) / 1e6 if t.get("events") else None
    return [name, native_cost(row), cell(row, "thrum"), f"{(t.get('cpu_spread') or 0) * 100:.0f} %",
            f"≤ {number(allowed)}" if allowed else "–", cell(row, "thrum", "wall_ratio"), cell(row, "helgrind"), number(rate),
            number(bytes_per_event(t)), added_mib(row), verdict if "failed" not in row else "FAILED"]


def text_table(head, rows):
    widths = [max(len(r[i]) for r in [head, *rows]) for i in range(len(head))]
    return "\n".join("  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths)))
                     for r in [head, *rows])


def markdown_table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(r) + " |" for r in rows])


def startup_line(results):
    t = results["rows"].get("startup", {}).get("tools", {})
    if "native" not in t or "shim" not in t:
        return ""
    launcher = f"; `thrum record`, the launcher included, {number(t['thrum']['added'], 1)} ms" if "added" in t.get("thrum", {}) else ""
    return (f"Start and end of a program that does nothing, processor time: native {number(t['native']['cpu'], 1)} ms, the shim adds "
            f"{number(t['shim']['added'], 1)} ms (bar {BARS['startup_ms']['bar']} ms){launcher}.")


def summary(results):
    parts = []
    micro, real = group(results, "micro"), group(results, "real")
    if micro:
        parts.append(text_table(MICRO_HEAD, [micro_cells(n, r) for n, r in micro]))
    if real:
        parts.append(text_table(REAL_HEAD, [real_cells(n, r) for n, r in real]))
    parts.append(startup_line(results))
    return "\n\n".join(p for p in parts if p)


def symbols_section(notes):
    """Of bench/symbols.py, which runs by itself: it takes minutes to build its program."""
    path = os.path.join(HERE, "results", "symbols.json")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        r = json.load(file)
    head = ["tool", "processor time", "peak memory, own", "with pages of files", "same answers"]
    rows = [[name, f"{number(t['cpu_s'])} s", f"{t['own_mib']} MiB", f"{t['mib']} MiB",
             f"{t['same_answers']} of {r['addresses']}" if "same_answers" in t else "–"] for name, t in r["tools"].items()]
    lead = (f"A program with {r['debug_mib']} MiB of debug information in a file of {r['file_mib']} MiB; {r['findings']} findings. `thrum check` is the whole "
            f"analysis and report; the other tools get the {r['addresses']} different addresses of the findings' stacks.")
    return ["## Symbols", "", lead, "", markdown_table(head, rows), "", *notes.get("symbols", []), ""]


def document(results):
    """docs/performance.md: tables from the results, prose from bench/notes.json."""
    m, notes = results["machine"], _load("notes.json")
    micro, real = group(results, "micro"), group(results, "real")
    out = ["<!-- Generated by `bench/run --write-docs` from bench/results/latest.json, bench/bars.json and bench/notes.json. -->",
           "# What recording costs", "",
           f"Measured on {m['date']}: {m['cpus']} processors ({m['model']}), {m['system']}, Linux {m['kernel']}, libc {m['libc']}; "
           "programs unmodified from Debian.", ""]
    out += notes.get("method", []) + ["", "## Small workloads", ""]
    out += [markdown_table(MICRO_HEAD, [micro_cells(n, r) for n, r in micro]), "", *notes.get("micro", []), ""]
    if startup_line(results):
        out += [startup_line(results), ""]
    out += ["## Real programs", "", markdown_table(REAL_HEAD, [real_cells(n, r) for n, r in real]), "", *notes.get("real", []), ""]
    out += symbols_section(notes)
    out += predict.section(markdown_table, notes)
    if "viewer" in notes:
        out += ["## The viewer", "", *notes["viewer"], ""]
    rows = [(n, notes.get("rows", {}).get(n), v) for n, r in micro + real
            for v in [micro_verdict(n, r)[1] if r["group"] == "micro" else "" if "skipped" in r else real_verdict(r)[1]]]
    told = [(n, why, v) for n, why, v in rows if why or v == "missed"]
    if told:
        out += ["## Rows with a story", ""]
        out += [f"- **{n}** ({v}): {why or 'no profile was taken yet'}" for n, why, v in told] + [""]
    return "\n".join(out).replace("\n\n\n", "\n\n")
