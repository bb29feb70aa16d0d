#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/python-suites.md, made of what cpython_suite.py --results noted.

    cpython_table.py cpython_results.json > docs/python-suites.md
"""
import fcntl
import json
import sys


def note(path, label, module, result):
    """Replaces what the file says of one module on one interpreter; several may write at a time."""
    with open(path, "a+", encoding="utf-8") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        f.seek(0)
        text = f.read()
        everything = json.loads(text) if text else {}
        everything.setdefault(label, {})[module] = result
        f.truncate(0)
        json.dump(everything, f, indent="\t", sort_keys=True)
        f.write("\n")


HEAD = """<!-- made by tests/python/cpython_table.py: change that, or run the suites again -->
# CPython's own tests under thrum

Each module of CPython's own tests that is about threads, asyncio, processes, signals or sockets, run as it is and recorded: the number of test
cases that end the same both ways. What was recorded then went through `thrum check`.

```
cmake --build build && python3 tests/python/cpython_suite.py --thrum build/bin/thrum --results tests/python/cpython_results.json \\
    --ignore '*VSOCK*' build/lib/libthrum.so /path/to/python3            # every interpreter; MODULE... for a part
apt-get download libpython3.11-testsuite      # Debian's: unpacked over a COPY of its package test, which lies where it belongs for one process alone:
unshare -m sh -c 'mount --bind COPY /usr/lib/python3.11/test && exec "$@"' sh python3 tests/python/cpython_suite.py ...   # children with -I look there
python3 tests/python/cpython_table.py tests/python/cpython_results.json > docs/python-suites.md
```

An interpreter that does not bring `test_concurrent_futures` and `test_multiprocessing_*` (3.11.7 and 3.12.1: `make install` forgot them) got those folders of
3.13.0 in a copy of its own package `test`; what is made for 3.13 there fails natively too. The VSOCK tests hang without thrum in a virtual machine.

"changed": a recorded run never ended as a native one did, in three tries of the case by itself. "unsteady": it did now and then, or the native runs
differ among themselves. "named": changed, and `tests/python/cpython_findings.txt` says why; it has the reasons of the findings that gate too.
"""


def cell(result):
    """What a table says of one module on one interpreter."""
    if result is None:
        return ""
    if "none" in result:
        return "not there" if result["none"] == "no such module" else "does not run"
    words = [f"{len(result.get(kind, []))} {kind}" for kind in ("changed", "unsteady", "named") if result.get(kind)]
    words += [f"{result['gates']} gate"] if result["gates"] else []
    words += [f"{sum(result['explained'].values())} true"] if result["explained"] else []
    return ", ".join([str(result["cases"]), *words])


def version_of(label):
    return [int(part) if part.isdigit() else 0 for part in label.split("-")[0].split(".")]


def page(results):
    labels = sorted(results, key=version_of)
    modules = sorted({m for r in results.values() for m in r})
    lines = [HEAD, "| module | " + " | ".join(labels) + " |", "|---" * (len(labels) + 1) + "|"]
    lines += [f"| {m} | " + " | ".join(cell(results[label].get(m)) for label in labels) + " |" for m in modules]
    ran = [r for by in results.values() for r in by.values() if "none" not in r]
    lines += ["", f"{sum(r['cases'] for r in ran)} cases in {len(ran)} runs of a module: {sum(len(r['changed']) for r in ran)} changed, "
              f"{sum(len(r.get('named', [])) for r in ran)} named, {sum(len(r['unsteady']) for r in ran)} unsteady; "
              f"{sum(r['gates'] for r in ran)} findings gate that nobody looked at. \"true\": findings that gate and are right. Empty: not run.", ""]
    for kind, text in (("changed", "Changed"), ("named", "Named"), ("unsteady", "Unsteady")):
        cases = sorted({(c, m, label) for label in labels for m, r in results[label].items() for c in r.get(kind, [])})
        if cases:
            lines += [f"## {text}", "", *(f"- {label} {m}: `{c}`" for c, m, label in cases), ""]
    true = {}
    for label in labels:
        for m, r in results[label].items():
            for words, count in r.get("explained", {}).items():
                true.setdefault((m, words), []).append(label)
    if true:
        lines += ["## Findings that gate and are right", "", *(f"- {m}: `{words}` ({', '.join(on)})" for (m, words), on in sorted(true.items())), ""]
    return "\n".join(lines)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as f:
        print(page(json.load(f)), end="")
