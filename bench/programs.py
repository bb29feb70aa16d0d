# SPDX-License-Identifier: MIT
"""Real programs that run to their end, unmodified from Debian: a row each. Servers are in servers.py.

A row makes a command for an input scale ("full" or "small", the second for tools that are a hundred times slower) and says
what must be the same with and without a tool: standard output, and files where the program writes some.
"""
import os
import shutil

import measure
import tools
from inputs import FRAME

SCRIPTS = os.path.join(tools.BENCH, "scripts")


class Program:
    """`sizes`: what `argv` gets for each scale. `files`: outputs beside standard output, relative to the work directory."""

    timeout = 60
    unfit = ()  # tools that are known not to cope: named in the table as such

    def __init__(self, name, title, needs, sizes, argv, files=(), bar=None, same_output=True):
        self.name, self.title, self.needs, self.sizes = name, title, needs, sizes
        self.argv, self.files, self.same_output = argv, files, same_output
        self.bar = bar or name  # row of bars.json

    def missing(self):
        """None, or what to install."""
        for program, package in self.needs:
            if not (shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")
                    or os.access(program, os.X_OK)):
                return f"package {package} missing: apt-get install {package}"
        return None

    def run(self, tool, scale, inputs, work):
        """Sample of one run under the tool. Raises Failed when it did not work."""
        argv, env = tool.wrap([str(a) for a in self.argv(inputs, self.sizes[scale])], work)
        r = measure.run(argv, work, env, self.timeout * tool.timeout)
        if r.timed_out:
            raise measure.Failed(f"{self.name} under {tool.name}: still running after {self.timeout * tool.timeout:.0f} s")
        if r.status:
            raise measure.Failed(f"{self.name} under {tool.name}: status {r.status}: {measure.read_text(r.stderr)[-300:]}")
        return Sample(r.cpu_s, r.wall_s, 1, None, r.status, self.output(r, work))

    def output(self, result, work):
        return [result.digest()] + [measure.file_digest(os.path.join(work, f)) for f in self.files]


class Sample:
    """What one run cost for `units` of work, and what it produced. rss_kib is None where the kernel's figure would include
    the process before exec."""

    def __init__(self, cpu_s, wall_s, units, rss_kib, status, output):
        self.cpu_s, self.wall_s, self.units, self.rss_kib = cpu_s, wall_s, units, rss_kib
        self.status, self.output = status, output


def python_script(name):
    return lambda inputs, n: ["/usr/bin/python3", os.path.join(SCRIPTS, name), n]


def python_workload(name):
    return lambda inputs, n: ["/usr/bin/python3", os.path.join(SCRIPTS, "python.py"), name, n]


# Of bench/scripts/python.py: name, title, how many.
PYTHON = [
    ("aio_sleep", "asyncio.sleep(0)", 300000), ("aio_task", "a task made, run and awaited", 150000),
    ("aio_gather", "gather of 100 tasks", 100000), ("aio_queue", "asyncio.Queue, there and back", 60000),
    ("aio_lock", "a free asyncio.Lock", 1000000), ("aio_lock_contended", "an asyncio.Lock, 4 tasks", 60000),
    ("aio_echo", "a stream's echo", 15000), ("lock_free", "a free Lock", 4000000),
    ("lock_contended", "a Lock, 4 threads", 800000), ("queue_pingpong", "queue.Queue, there and back", 30000),
    ("pool_map", "map on a pool of 4 threads", 30000), ("process_queue", "multiprocessing.Queue", 60000),
    ("plain", "json and deepcopy, no concurrency", 6000),
]


def x264(inputs, frames):
    return ["x264", "--quiet", "--no-progress", "--threads", 4, "--preset", "veryfast", "-o", "out.264",
            "--input-res", "%dx%d" % FRAME, "--fps", 25, "--frames", frames, inputs.video(max(frames, 100))]


PROGRAMS = [
    Program("pigz", "pigz -p 2, 48 MiB", [("pigz", "pigz")], {"full": 48, "small": 4},
            lambda i, n: ["pigz", "-n", "-p", 2, "-k", "-c", i.mixed(n)]),
    Program("xz", "xz -T2 -3, 12 MiB", [("xz", "xz-utils")], {"full": 12, "small": 2},
            lambda i, n: ["xz", "-T2", "-3", "-k", "-c", "--block-size=1MiB", i.mixed(n)]),
    Program("zstd", "zstd -T2 -6, 64 MiB", [("zstd", "zstd")], {"full": 64, "small": 4},
            lambda i, n: ["zstd", "-q", "-T2", "-6", "-k", "-c", i.mixed(n)]),
    Program("pbzip2", "pbzip2 -p2, 12 MiB", [("pbzip2", "pbzip2")], {"full": 12, "small": 2},
            lambda i, n: ["pbzip2", "-p2", "-k", "-c", i.mixed(n)]),
    Program("ffmpeg", "ffmpeg mpeg4, 2 threads, 40 s of video", [("ffmpeg", "ffmpeg")], {"full": 40, "small": 3},
            lambda i, n: ["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", f"testsrc2=s=640x360:r=25:d={n}",
                          "-threads", 2, "-c:v", "mpeg4", "-bitexact", "-f", "md5", "-"]),
    Program("x264", "x264, 4 threads, 250 frames", [("x264", "x264")], {"full": 250, "small": 15}, x264,
            files=["out.264"]),
    Program("gstreamer", "gst-launch, 3 queues, 20,000 small frames (GLib's locks)",
            [("gst-launch-1.0", "gstreamer1.0-tools gstreamer1.0-plugins-base")], {"full": 20000, "small": 300},
            lambda i, n: ["gst-launch-1.0", "-q", "videotestsrc", f"num-buffers={n}", "!",
                          "video/x-raw,format=I420,width=64,height=48", "!", "queue", "!", "videoconvert", "!",
                          "video/x-raw,format=RGB", "!", "queue", "!", "videoscale", "!",
                          "video/x-raw,width=32,height=32", "!", "queue", "!", "filesink", "location=out.raw"],
            files=["out.raw"]),
    Program("sqlite", "libsqlite3, 4 threads on one WAL database", [(tools.built("sqlmt"), "libsqlite3-dev")],
            {"full": 4000, "small": 60}, lambda i, n: [tools.built("sqlmt"), "test.db", n]),
    Program("python-threads", "python3, 4 threads, queue and Lock", [("/usr/bin/python3", "python3")],
            {"full": 200000, "small": 4000}, python_script("threads.py")),
    Program("python-asyncio", "python3, asyncio and executor", [("/usr/bin/python3", "python3")],
            {"full": 60000, "small": 2000}, python_script("loop.py")),
    *[Program("python-" + name.replace("_", "-"), "python3, " + title, [("/usr/bin/python3", "python3")],
              {"full": full, "small": max(full // 100, 100)}, python_workload(name), bar="python-asyncio" if name.startswith("aio") else "python-threads")
      for name, title, full in PYTHON],
    Program("python-start", "python3 -c pass, 20 times", [("/usr/bin/python3", "python3")], {"full": 20, "small": 2},
            lambda i, n: ["sh", "-c", "for i in $(seq %d); do /usr/bin/python3 -c pass; done" % n], bar="python-start"),
    Program("node", "node, thread pool and 2 workers", [("node", "nodejs")], {"full": 6000, "small": 100},
            lambda i, n: ["node", os.path.join(SCRIPTS, "pool.js"), n]),
    Program("sysbench-mutex", "sysbench mutex, 4 threads", [("sysbench", "sysbench")], {"full": 1000000, "small": 10000},
            lambda i, n: ["sysbench", "mutex", "--threads=4", "--mutex-num=64", f"--mutex-locks={n}",
                          "--mutex-loops=100", "run"], same_output=False),
]
