# SPDX-License-Identifier: MIT
"""Sizes of the viewer: how large its page is, how soon it is there, how fast it draws, and what a server of it takes.

    viewer.py [--spans N,N,...] [--served N]

Records the workload nested8 of micro (8 threads, 4 of 16 locks nested) with about so many spans; writes the page, opens it in Chromium
without a graphics card, draws pictures at several zooms. Then serves a trace of --served events. Environment: THRUM_BUILD.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "viewer"))
import chromium  # noqa: E402

BUILD = os.environ.get("THRUM_BUILD", os.path.join(HERE, "..", "build"))
THRUM, MICRO = os.path.join(BUILD, "bin", "thrum"), os.path.join(BUILD, "bin", "micro")

# Pictures while one zooms in, moves there, zooms out and moves: times of a picture in milliseconds, the middle one, the slowest but one in twenty, the slowest.
FRAMES = """(async () => {
  const frame = () => new Promise((done) => requestAnimationFrame(() => { const t = performance.now(); setTimeout(() => done(performance.now() - t), 0); }));
  const times = [], walk = 'w'.repeat(24) + 'd'.repeat(24) + 's'.repeat(12) + 'd'.repeat(24) + 'wd'.repeat(12);
  for (const key of walk) {
    document.body.dispatchEvent(new KeyboardEvent('keydown', { key, code: 'Key' + key.toUpperCase(), bubbles: true }));
    times.push(await frame());
  }
  times.sort((a, b) => a - b);
  return [times[times.length >> 1], times[Math.floor(times.length * 0.95)], times[times.length - 1]];
})()"""
READY = "document.documentElement.dataset.ready"
DRAWN = "(performance.getEntriesByName('thrum-drawn')[0] || {}).startTime / 1000"


def timed(argv, **more):
    """(seconds, MiB at most, standard output)"""
    begin = time.monotonic()
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(argv, stdout=out, stdin=subprocess.DEVNULL, **more)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        if process.returncode:
            sys.exit(f"{' '.join(argv)}: status {process.returncode}")
        return time.monotonic() - begin, usage.ru_maxrss / 1024, out.read()


def record(folder, events):
    trace = os.path.join(folder, "trace")
    shutil.rmtree(trace, ignore_errors=True)
    timed([THRUM, "record", "-q", "--races=off", "-o", trace, "--", MICRO, "nested8", str(max(events // 2, 64))])
    info = subprocess.run([THRUM, "info", trace], capture_output=True, text=True, check=True).stdout
    return trace, int(re.search(r"events +([\d,]+)", info)[1].replace(",", ""))


def look(page):
    """(seconds from the navigation until the page can be used, until all that is seen is drawn, times of pictures in ms)"""
    page.wait(f"{READY} === 'yes'", 120)
    page.wait(DRAWN, 120)
    opened, drawn = page.get("performance.getEntriesByName('thrum-ready')[0].startTime / 1000"), page.get(DRAWN)
    times = page.get(FRAMES)
    if page.errors:
        sys.exit(f"errors in the page: {page.errors[:3]}")
    page.close()
    return opened, drawn, times


def row(cells, opened, drawn, times):
    print("| " + " | ".join([*cells, f"{opened:.2f} s", f"{drawn:.2f} s", *(f"{ms:.0f} ms" for ms in times)]) + " |", flush=True)


def page_row(folder, spans, browser):
    trace, events = record(folder, spans * 2)
    html = os.path.join(folder, "page.html")
    seconds, peak, _ = timed([THRUM, "view", "-q", f"--html={html}", trace])
    with open(html, encoding="utf-8", errors="replace") as file:
        said = re.search(r"([\d,]+) spans", file.read(1 << 24))
    page = browser.open("file://" + html + "#timeline", width=1600, height=900)
    row(["page", f"{events:,}", said[1] if said else "?", f"{os.path.getsize(html) / 1e6:.1f} MB", f"{seconds:.1f} s", f"{peak:.0f} MiB"], *look(page))


def server_row(folder, events, browser):
    """Made in: until the first picture, which is of the outline / until all has been read."""
    trace, events = record(folder, events)
    begin = time.monotonic()
    process = subprocess.Popen([THRUM, "view", "-q", trace], stdout=subprocess.PIPE, text=True)
    try:
        url = process.stdout.readline().strip()
        page = browser.open(url + "#timeline", width=1600, height=900)
        page.wait_there(DRAWN, 120)
        first = time.monotonic() - begin
        page.wait_there(f"{READY} === 'yes'", 600)
        ready = time.monotonic() - begin
        seen = look(page)
        with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
            peak = int(re.search(r"VmHWM:\s+(\d+)", file.read())[1]) / 1024
    finally:
        process.terminate()
        process.wait()
    row(["server", f"{events:,}", "", "", f"{first:.1f} s / {ready:.1f} s", f"{peak:.0f} MiB"], *seen)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spans", default="1000000,10000000")
    parser.add_argument("--served", type=int, default=100_000_000)
    options = parser.parse_args()
    if not chromium.find():
        sys.exit(77)
    print("| | events | spans | size | made in | at most | opens in | all drawn | a picture | p95 | slowest |\n" + "|---" * 11 + "|")
    with tempfile.TemporaryDirectory(prefix="thrum-bench-") as folder, chromium.Browser() as browser:
        for spans in filter(None, options.spans.split(",")):
            page_row(folder, int(spans), browser)
        if options.served:
            server_row(folder, options.served, browser)


if __name__ == "__main__":
    main()
