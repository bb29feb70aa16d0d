#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What symbols cost: a C++ program with half a gigabyte of debug information and hundreds of lock-order inversions is
recorded; then `thrum check` names every frame of every finding, and others name the same addresses.

One unit of templates is compiled once and linked many times under other names, as a large program's units repeat each
other's headers: most of its functions lie once in the code and in every unit's debug information.

  bench/symbols.py --thrum BUILD/bin/thrum --work DIR [--copies 28] [--tables 100] [--write]
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))

HEADER = """#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>
namespace unit0 {
template <int N> struct Key {
	int value = N;
	std::string name;
	bool operator<(const Key &o) const { return value < o.value; }
};
template <int N> class Table {
	std::mutex lock_;
	std::map<Key<N>, std::vector<std::unique_ptr<Key<N>>>> rows_;
	std::unordered_map<std::string, std::function<int(const Key<N> &)>> hooks_;

    public:
	int put(int n, std::mutex &other)
	{
		std::lock_guard<std::mutex> first(lock_);
		Key<N> k;
		k.value = n;
		auto &row = rows_[k];
		row.push_back(std::make_unique<Key<N>>(k));
		hooks_[k.name] = [n](const Key<N> &x) { return x.value + n; };
		std::sort(row.begin(), row.end(), [](const auto &a, const auto &b) { return *a < *b; });
		std::lock_guard<std::mutex> second(other);
		return hooks_[k.name](k);
	}
	std::mutex &lock() { return lock_; }
};
"""


MAIN = """#include <mutex>
#include <semaphore.h>
#include <thread>
%(declare)s
static int (*const runs[])(int, std::mutex &) = { %(runs)s };
static std::mutex &(*const locks[])(int) = { %(locks)s };
static void both(bool swapped)
{
	for (unsigned c = 0; c < sizeof(runs) / sizeof(runs[0]); c++)
		for (int i = 0; i + 1 < %(tables)d; i += 10)
			runs[c](i + swapped, locks[c](i + !swapped));
}
int main()
{
	sem_t first_is_done;
	sem_init(&first_is_done, 0, 0);
	std::thread a([&] { both(false); sem_post(&first_is_done); });
	std::thread b([&] { while (sem_wait(&first_is_done)); both(true); });
	a.join();
	b.join();
}
"""


def unit(tables):
    lines = [HEADER]
    lines += ["static Table<%d> table%d;" % (i, i) for i in range(tables)]
    for head, call in (("int run(int n, std::mutex &other)", "table%d.put(n, other)"), ("std::mutex &lock(int n)", "table%d.lock()")):
        lines += [head + " { switch (n) {"]
        lines += ["case %d: return %s;" % (i, call % i) for i in range(1, tables)]
        lines += ["} return %s; }" % (call % 0)]
    return "\n".join(lines) + "\n}\n"


def shell(command, cwd, **more):
    return subprocess.run(command, cwd=cwd, shell=True, check=True, **more)


def build(work, copies, tables):
    """The program, made anew only when the sources differ."""
    os.makedirs(work, exist_ok=True)
    if not os.path.exists(f"{work}/unit.o"):
        with open(f"{work}/unit.cc", "w") as file:
            file.write(unit(tables))
        shell("g++ -std=c++17 -O1 -g -c unit.cc", work)
    objects = []
    for c in range(copies):
        shell(f"objcopy --redefine-sym _ZN5unit03runEiRSt5mutex=_Z{len('run_%d' % c)}run_{c}iRSt5mutex "
              f"--redefine-sym _ZN5unit04lockEi=_Z{len('lock_%d' % c)}lock_{c}i unit.o unit{c}.o", work)
        objects.append(f"unit{c}.o")
    with open(f"{work}/main.cc", "w") as file:
        file.write(MAIN % {"declare": "\n".join("int run_%d(int, std::mutex &); std::mutex &lock_%d(int);" % (c, c)
                                                for c in range(copies)),
                           "runs": ", ".join("run_%d" % c for c in range(copies)),
                           "locks": ", ".join("lock_%d" % c for c in range(copies)), "tables": tables})
    linker = "-fuse-ld=lld -Wl,--build-id" if shutil.which("ld.lld") else ""
    shell(f"g++ -std=c++17 -O1 -g -pthread {linker} -o big main.cc " + " ".join(objects), work)
    for name in objects:
        os.unlink(f"{work}/{name}")


def own_kib(pid):
    """Memory that is not pages of files."""
    try:
        with open(f"/proc/{pid}/status") as file:
            match = re.search(r"RssAnon:\s+(\d+)", file.read())
    except OSError:
        match = None
    return int(match.group(1)) if match else 0


def measured(command, cwd, stdin=None):
    """(stdout, {wall and processor seconds, peak MiB with and without pages of files})"""
    own = 0
    with open(f"{cwd}/out", "wb") as out, open(f"{cwd}/err", "wb") as err:
        start = time.monotonic()
        process = subprocess.Popen(command, cwd=cwd, stdin=open(stdin) if stdin else subprocess.DEVNULL, stdout=out, stderr=err)
        while True:
            own = max(own, own_kib(process.pid))
            pid, _, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            time.sleep(0.005)
        wall = time.monotonic() - start
    with open(f"{cwd}/out", errors="replace") as out:
        return out.read(), {"wall_s": round(wall, 2), "cpu_s": round(usage.ru_utime + usage.ru_stime, 2),
                            "mib": round(usage.ru_maxrss / 1024), "own_mib": round(own / 1024)}


def debug_bytes(path):
    text = subprocess.run(["size", "-A", path], capture_output=True, text=True, check=True).stdout
    return sum(int(m.group(2)) for m in re.finditer(r"^(\.debug\S*)\s+(\d+)", text, re.M))


def frames_of(report, program_path):
    """Address in the program -> its frames, innermost first, as (function, file, line)."""
    found = {}
    for finding in report["findings"]:
        for stack in finding["stacks"]:
            run = []
            for frame in stack["frames"]:
                if os.path.realpath(frame["module"]) == program_path:
                    run.append((frame.get("function"), os.path.basename(frame.get("file", "?")), frame.get("line", 0)))
                    if not frame.get("inlined"):
                        found[int(str(frame["offset"]), 0)] = run
                        run = []
    return found


PEERS = {
    "llvm-symbolizer": "llvm-symbolizer --obj=big --inlines --output-style=GNU --functions=linkage --demangle --addresses",
    "addr2line": "addr2line -e big -a -f -i -C",
    "eu-addr2line": "eu-addr2line -e big -a -f -i -C",
}


def parse_peer(text):
    """address -> lines (file, line) innermost first"""
    found, at, lines = {}, None, []
    for line in text.splitlines():
        if re.fullmatch(r"0x[0-9a-f]+", line):
            at, lines = int(line, 16), []
            found[at] = lines
        else:
            # eu-addr2line adds the column
            match = re.match(r"(/.*?|\?\?):(\d+|\?)(:\d+)?( \(discriminator .*\))?$", line)
            if match and at is not None:
                lines.append((os.path.basename(match.group(1)), int(match.group(2)) if match.group(2).isdigit() else 0))
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--thrum", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--copies", type=int, default=28)
    parser.add_argument("--tables", type=int, default=100)
    parser.add_argument("--program", help="a program of this kind that exists already")
    parser.add_argument("--write", action="store_true", help="keep the figures in bench/results/symbols.json")
    args = parser.parse_args()
    work = os.path.abspath(args.work)
    if not os.path.exists(f"{work}/big"):
        build(work, args.copies, args.tables)
    thrum = os.path.abspath(args.thrum)
    if not os.path.isdir(f"{work}/trace"):
        subprocess.run([thrum, "record", "-q", "-o", "trace", "--", "./big"], cwd=work, check=True)
    big = os.path.realpath(f"{work}/big")
    result = {"debug_mib": round(debug_bytes(big) / 2**20), "file_mib": round(os.path.getsize(big) / 2**20), "tools": {}}

    # The same check without the program's files: what analysis and report cost by themselves.
    os.rename(big, big + ".away")
    try:
        _, without = measured([thrum, "check", "--format=json", "trace"], work)
    finally:
        os.rename(big + ".away", big)
    text, figures = measured([thrum, "check", "--format=json", "trace"], work)
    report = json.loads(text)
    ours = frames_of(report, big)
    result["findings"], result["addresses"] = sum(f["count"] for f in report["findings"]), len(ours)
    result["tools"]["thrum check"] = figures
    result["tools"]["thrum check, program removed"] = without
    with open(f"{work}/addresses", "w") as file:
        file.writelines("%#x\n" % address for address in sorted(ours))
    for name, command in PEERS.items():
        if not shutil.which(command.split()[0]):
            continue
        text, figures = measured(command.split(), work, f"{work}/addresses")
        theirs = parse_peer(text)
        figures["same_answers"] = sum([f[1:] for f in ours[a]] == theirs.get(a) for a in ours)
        result["tools"][name] = figures
        other = [a for a in sorted(ours) if [f[1:] for f in ours[a]] != theirs.get(a)]
        if other:
            print(f"{name} says otherwise of {len(other)}, first {other[0]:#x}: {ours[other[0]]}, {theirs.get(other[0])}",
                  file=sys.stderr)
    print(json.dumps(result, indent=1))
    if args.write:
        with open(os.path.join(HERE, "results", "symbols.json"), "w") as file:
            json.dump(result, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
