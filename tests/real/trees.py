# SPDX-License-Identifier: MIT
"""Real programs that are many processes and run to their end: builds, pools, buses, desktop programs. A row each.

A row is a shell script (or a Python script) that prints what must be the same with and without thrum; `tree` is a directory of
generated C sources it may use. What is in bench/programs.py is measured too; these are only compared.
"""
import glob
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench"))

import measure  # noqa: E402
from programs import Program  # noqa: E402

LIBRARIES = "/usr/lib", *glob.glob("/usr/lib/*-linux-gnu")
HEADERS = glob.glob("/usr/include/*-linux-gnu")
SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "scripts")

# Same names and dates in every run: the hashes are compared.
GIT = """export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b HOME="$PWD"
export GIT_AUTHOR_DATE='2000-01-01T00:00:00Z' GIT_COMMITTER_DATE='2000-01-01T00:00:00Z' GIT_CONFIG_NOSYSTEM=1
"""


# The server tells its display number when it is ready; both are recorded.
XVFB = """mkfifo number
Xvfb -displayfd 3 -screen 0 640x480x24 -nolisten tcp 3>number >xvfb.log 2>&1 & server=$!
read -r display <number
DISPLAY=:$display QT_QPA_PLATFORM=xcb ./desktop "$N"
kill $server; wait $server || true
"""


# Two forks, closed descriptors, a session of its own; its end is waited for.
DAEMONS = """cat >conf <<END
global(workDirectory="$PWD")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="$PWD/log")
action(type="omfile" file="$PWD/messages" template="RSYSLOG_FileFormat")
END
rsyslogd -f "$PWD/conf" -i "$PWD/rsyslog.pid"
for i in $(seq 100); do test -S log && test -s rsyslog.pid && break; sleep 0.1; done
for i in $(seq "$N"); do logger -u "$PWD/log" "message $i"; done
sleep 1; pid=$(cat rsyslog.pid); kill "$pid"; while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
grep -c 'message ' messages
start-stop-daemon --start --background --make-pidfile --pidfile "$PWD/sleeper" --startas /bin/sleep -- 60
for i in $(seq 100); do test -s sleeper && break; sleep 0.1; done
start-stop-daemon --stop --pidfile "$PWD/sleeper" --retry 5 >stop.log; kill -0 "$(cat sleeper)" 2>/dev/null || echo stopped
setsid -w sh -c 'echo in a session of its own'
"""
# An editor with a file open, ended by its session manager's way: SIGTERM.
DESKTOP = """mkfifo number; export HOME="$PWD" XDG_RUNTIME_DIR="$PWD" XDG_CONFIG_HOME="$PWD/config"; chmod 700 .
Xvfb -displayfd 3 -screen 0 640x480x24 -nolisten tcp 3>number >xvfb.log 2>&1 & server=$!
read -r display <number
DISPLAY=:$display QT_QPA_PLATFORM=xcb featherpad --standalone tree/main.c >editor.log 2>&1 & editor=$!
sleep "$N"; kill $editor; if wait $editor; then echo ended 0; else echo ended $?; fi
kill $server; wait $server || true
"""


class Tree:
    """Sources, a Makefile and a CMakeLists.txt, written into the work directory."""

    def __init__(self, files):
        self.files = files

    def write(self, directory):
        os.makedirs(directory)
        names = [f"part{n}" for n in range(self.files)]
        for n, name in enumerate(names):
            body = "\n".join(f"static int {name}_{k}(int x) {{ return x * {k + n} + {k}; }}" for k in range(40))
            calls = " + ".join(f"{name}_{k}(x)" for k in range(40))
            self._put(directory, name + ".c", f"#include <stdio.h>\n#include <string.h>\nint {name}(int x);\n{body}\n"
                      f"int {name}(int x) {{ return {calls}; }}\n")
        self._put(directory, "main.c", "#include <stdio.h>\n" + "".join(f"int {n}(int);\n" for n in names)
                  + "int main(void) { unsigned s = 0; " + "".join(f"s += (unsigned){n}(3); " for n in names)
                  + 'printf("%u\\n", s); return 0; }\n')
        objects = " ".join(n + ".o" for n in [*names, "main"])
        self._put(directory, "Makefile", f"OBJECTS = {objects}\nprog: $(OBJECTS)\n\t$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^\n"
                  "%.o: %.c\n\t$(CC) $(CFLAGS) -c -o $@ $<\n"
                  "nested:\n\t+$(MAKE) CFLAGS=-O2 prog\n")
        self._put(directory, "CMakeLists.txt", "cmake_minimum_required(VERSION 3.13)\nproject(p C)\nadd_executable(prog "
                  + " ".join(n + ".c" for n in [*names, "main"]) + ")\n")

    @staticmethod
    def _put(directory, name, text):
        with open(os.path.join(directory, name), "w", encoding="ascii") as f:
            f.write(text)


class Script(Program):
    """`text` runs in the work directory, which has the sources in `tree`; $N is the size."""

    timeout = 180

    def __init__(self, name, title, needs, sizes, text, files=(), same_output=True):
        super().__init__(name, title, needs, sizes, lambda i, n: ["sh", "-ec", f"N={n}\n{text}"], files, None, same_output)

    def run(self, tool, scale, inputs, work):
        Tree(self.sizes[scale]).write(os.path.join(work, "tree"))
        return super().run(tool, scale, inputs, work)


class Desktop(Script):
    """scripts/desktop.cpp, built with the Qt that is installed, outside the tool."""

    def __init__(self, name, title, version, needs, text):
        self.version = version
        library = f"libQt{version}Widgets.so"
        found = next((d for d in LIBRARIES if os.path.exists(os.path.join(d, library))), None)
        self.absent = None if found else f"package qt{'base5-dev' if version == 5 else '6-base-dev'} missing"
        super().__init__(name, title, [("g++", "g++"), *needs], {"full": 600, "small": 60}, text)

    def missing(self):
        return super().missing() or self.absent

    def run(self, tool, scale, inputs, work):
        program = os.path.join(inputs.directory, f"desktop{self.version}")
        if not os.path.exists(program):
            headers = next((d for d in HEADERS if os.path.isdir(f"{d}/qt{self.version}")), "/usr/include")
            modules = ("Widgets", "Gui", "Network", "Concurrent", "Core")
            r = measure.run(["g++", "-std=c++17", "-O1", "-g", "-fPIC", "-w", f"-I{headers}/qt{self.version}",
                             *(f"-I{headers}/qt{self.version}/Qt{m}" for m in modules), os.path.join(SCRIPTS, "desktop.cpp"),
                             "-o", program, *(f"-lQt{self.version}{m}" for m in modules)], work, timeout=300)
            if r.status:
                raise measure.Failed(f"{self.name}: {measure.read_text(r.stderr)[:300]}")
        os.symlink(program, os.path.join(work, "desktop"))
        return super().run(tool, scale, inputs, work)


def python_script(name):
    return f'exec /usr/bin/python3 {os.path.join(SCRIPTS, name)} "$N"'


TREES = [
    Script("make", "make -j8, a nested make", [("make", "make"), ("cc", "gcc")], {"full": 40, "small": 6},
           "cd tree; make -s -j8 nested 2>&1; ./prog"),
    Script("cmake-ninja", "cmake, ninja -j4", [("cmake", "cmake"), ("ninja", "ninja-build")], {"full": 30, "small": 4},
           "cmake -G Ninja -S tree -B out >cmake.log; ninja -C out -j4 >ninja.log; out/prog"),
    Script("gcc-lto", "gcc -flto=2", [("gcc", "gcc")], {"full": 20, "small": 4},
           "cd tree; gcc -O2 -flto=2 -o prog *.c 2>&1; ./prog"),
    Script("clang-lld", "clang -flto=thin, lld with 2 threads", [("clang", "clang"), ("ld.lld", "lld")],
           {"full": 20, "small": 4}, "cd tree; clang -O2 -flto=thin -fuse-ld=lld -Wl,--threads=2 -o prog *.c 2>&1; ./prog"),
    Script("ripgrep", "rg -j4 (Rust: futexes of its own)", [("rg", "ripgrep")], {"full": 400, "small": 20},
           "rg -j4 --no-config -c 'return x' tree | sort; rg -j4 --no-config -l printf /usr/include | sort"),
    Script("fd", "fdfind -j4 -x (Rust)", [("fdfind", "fd-find")], {"full": 100, "small": 10},
           "fdfind -j4 . tree | sort; fdfind -j4 -e c . tree -x wc -l | sort"),
    Script("git", "git commit, gc, fetch, grep with threads", [("git", "git")], {"full": 60, "small": 6},
           GIT + "git init -q -b main tree; cd tree\n"
           "for i in $(seq $N); do echo $i >>log; git add .; git commit -q -m $i; done\n"
           "git gc -q --aggressive; git -c pack.threads=4 repack -q -adf; git rev-parse HEAD; git clone -q file://\"$PWD\" ../copy\n"
           "git -C ../copy fsck --no-progress; echo x >>log; git commit -qam x; git -C ../copy fetch -q\n"
           "git -C ../copy rev-parse origin/main; git grep --threads=4 -c 'return x' | sort"),
    Script("tar-zstd", "tar through xz -T2 and zstd -T2", [("tar", "tar"), ("zstd", "zstd"), ("xz", "xz-utils")],
           {"full": 300, "small": 20},
           "tar --sort=name --mtime=@0 --owner=0 --group=0 -cf - tree | zstd -q -T2 | zstd -dqc | xz -0 -T2 -c | xz -dc | sha256sum\n"
           "tar --use-compress-program='zstd -T2' -cf a.tar.zst tree; mkdir back; tar --use-compress-program=zstd -xf a.tar.zst -C back\n"
           "diff -r tree back/tree && echo same"),
    Script("python-pool", "multiprocessing: fork, forkserver, spawn, Manager", [("/usr/bin/python3", "python3")],
           {"full": 400, "small": 20}, python_script("pools.py")),
    Script("java", "HotSpot: a pool, futures, a parallel stream", [("java", "default-jre-headless"), ("javac", "default-jdk-headless")],
           {"full": 2000, "small": 100}, f'javac -d . {os.path.join(SCRIPTS, "Pool.java")}; exec java -cp . Pool "$N"'),
    Script("ssh-agent", "ssh-agent, ssh-keygen, ssh-add", [("ssh-agent", "openssh-client")], {"full": 5, "small": 2},
           "ssh-agent sh -ec 'for i in $(seq '$N'); do ssh-keygen -q -t ed25519 -N \"\" -f k$i -C k$i; ssh-add -q k$i; done\n"
           "ssh-add -l | cut -d\" \" -f3'; eval \"$(ssh-agent -s)\" >/dev/null; ssh-add -l || true; ssh-agent -k >/dev/null"),
    Script("dbus", "dbus-daemon with an echo service and a client", [("dbus-run-session", "dbus-daemon"),
                                                                   ("dbus-test-tool", "dbus-bin")],
           {"full": 2000, "small": 100},
           "dbus-run-session -- sh -ec 'dbus-test-tool echo --name=a.b & pid=$!\n"
           "gdbus wait --session --timeout 20 a.b; dbus-test-tool spam --dest=a.b --count='$N' --messages-per-conn=50 >/dev/null\n"
           "dbus-send --session --print-reply=literal --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner string:a.b\n"
           "kill $pid; wait $pid || true'"),
    Desktop("qt5-offscreen", "a Qt 5 desktop program, no display", 5, [], "QT_QPA_PLATFORM=offscreen exec ./desktop $N"),
    Desktop("qt6-offscreen", "a Qt 6 desktop program, no display", 6, [], "QT_QPA_PLATFORM=offscreen exec ./desktop $N"),
    *(Desktop(f"qt{v}-xvfb", f"a Qt {v} desktop program and its X server", v, [("Xvfb", "xvfb")], XVFB) for v in (5, 6)),
    Script("qmlscene", "Qt's qmlscene, a QML window that ends itself", [("qmlscene", "qmlscene qml-module-qtquick2")],
           {"full": 40, "small": 5},
           "printf 'import QtQuick 2.0\\nRectangle { width: 200; height: 100; Timer { interval: 20; repeat: true; running: true;"
           " property int n: 0; onTriggered: { rotation += 5; if (++n == %d) { console.log(n); Qt.quit() } } }'"
           " \"$N\" >w.qml; printf ' NumberAnimation on opacity { from: 0; to: 1; duration: 100; loops: 9 } }' >>w.qml\n"
           "QT_QPA_PLATFORM=offscreen QT_QUICK_BACKEND=software qmlscene w.qml 2>&1 | tr -d '\\0'"),
    Script("daemonised", "programs that leave their terminal: rsyslogd, start-stop-daemon, setsid", [
        ("rsyslogd", "rsyslog"), ("start-stop-daemon", "dpkg"), ("setsid", "util-linux")], {"full": 40, "small": 4}, DAEMONS),
    Script("lrelease", "Qt's lupdate and lrelease", [("lrelease", "qttools5-dev-tools")], {"full": 40, "small": 5},
           "cd tree; for i in *.c; do\n"
           "echo 'class A : public QObject { Q_OBJECT void f() { tr(\"'$i'\"); } };' >$i.cpp; done\n"
           "lupdate -silent *.cpp -ts a.ts 2>&1; lrelease -silent a.ts -qm a.qm 2>&1; cksum <a.ts; cksum <a.qm"),
    Script("featherpad", "FeatherPad (Qt) and its X server", [("featherpad", "featherpad"), ("Xvfb", "xvfb")],
           {"full": 6, "small": 3}, DESKTOP),
]
