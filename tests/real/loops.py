# SPDX-License-Identifier: MIT
"""Programs that live on an event loop, and what a trace must show of every program's loops. A row each.

What is in bench/loop_servers.py is measured too; the rest is only compared.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench"))

from causality import Sees  # noqa: E402
from loop_servers import LOOP_SERVERS  # noqa: E402
from trees import Script  # noqa: E402

TMUX = """t() { tmux -S "$PWD/s" -f /dev/null "$@"; }
export TERM=screen HOME="$PWD" SHELL=/bin/sh; unset TMUX
t new-session -d -x 80 -y 24 "for i in \\$(seq $N); do echo line \\$i; done; tmux -S $PWD/s wait-for -S done; exec cat"
t wait-for done; t capture-pane -p; t split-window 'exec cat'; t send-keys 'from a key' Enter; t resize-pane -y 5
t list-panes -F '#{pane_index} #{pane_height}'; t if-shell true 'set -g @shell yes'; t run-shell 'echo from a job'
t show -gv @shell; server=$(t display-message -p '#{pid}'); t kill-server; while kill -0 "$server" 2>/dev/null; do sleep 0.05; done
"""

GIO = """mkdir watched; gio monitor watched >out & monitor=$!
for i in $(seq 200); do grep -qs '^inotify wd' /proc/$monitor/fdinfo/* && break; sleep 0.05; done
for i in $(seq "$N"); do echo $i >watched/$i; mv watched/$i watched/m$i; rm watched/m$i; done; mkdir watched/last
for i in $(seq 200); do grep -q 'last: created' out && break; sleep 0.05; done
kill $monitor; wait $monitor || echo ended $?
grep -c ': created' out; grep -c ': deleted' out
"""

# A bar that is fed line by line and closes itself; a message that ends by a timer, with status 5.
ZENITY = """mkfifo number; export HOME="$PWD" XDG_RUNTIME_DIR="$PWD" GTK_A11Y=none NO_AT_BRIDGE=1; chmod 700 .
Xvfb -displayfd 3 -screen 0 640x480x24 -nolisten tcp 3>number >xvfb.log 2>&1 & server=$!
read -r DISPLAY <number; export DISPLAY=:$DISPLAY
(for i in $(seq "$N"); do echo $((i * 100 / N)); sleep 0.02; done) | zenity --progress --auto-close 2>progress.log; echo progress $?
zenity --info --text=hello --timeout=1 2>info.log || echo info $?
kill $server; wait $server || true
"""

LOOPS = [
    *LOOP_SERVERS,
    Script("tmux", "tmux: a server, panes, jobs", [("tmux", "tmux")], {"full": 2000, "small": 30}, TMUX),
    Script("gio-monitor", "GIO's gio monitor", [("gio", "libglib2.0-bin")], {"full": 200, "small": 10}, GIO),
    Script("zenity", "zenity (GTK 3) and its X server", [("zenity", "zenity"), ("Xvfb", "xvfb")],
           {"full": 100, "small": 20}, ZENITY),
]

UV_TIMER, UV_TCP, UV_UDP, UV_ASYNC = "timer (libuv)", "TCP handle (libuv)", "UDP handle (libuv)", "async handle (libuv)"
UV_FS, UV_WORK, UV_SEND = "file request (libuv)", "work request (libuv)", "send request (libuv)"
EVENT, EV_IO, EV_TIMER, EV_ASYNC = "event (libevent)", "io watcher (libev)", "timer watcher (libev)", "async watcher (libev)"
G_TIMEOUT, G_SOURCE, G_UNIX = "timeout source (GLib)", "source (GLib)", "descriptor or signal source (GLib)"
SD_SOURCE = "event source (sd-event)"

# Rows of any table, by name. Debian's programs have no symbols but those that they export.
SEES = {
    "node-http": Sees(4, {UV_TIMER: 20, UV_TCP: 500, UV_ASYNC: 5, UV_FS: 100, UV_WORK: 200, "signal handle (libuv)": 1}, [
        ("node::TCPWrap::TCPWrap*", UV_TCP, "node::HandleWrap::OnClose*"),
        ("node::fs::*", UV_FS, "node::MakeLibuvRequestCallback<uv_fs_s*"),
        ("node::crypto::CryptoJob<*PBKDF2*", UV_WORK, "node::ThreadPoolWork::ScheduleWork*"),
        ("", UV_TIMER, "node::Environment::RunTimers*"),
        ("node::worker::MessagePort::TriggerAsync*", UV_ASYNC, "")]),
    "bind9": Sees(4, {UV_UDP: 100, UV_SEND: 500, UV_ASYNC: 4}, [
        ("isc__nm_async_udplisten", UV_UDP, ""), ("isc__nm_async_udpsend", UV_SEND, "")]),
    "uvloop": Sees(1, {UV_TIMER: 100, UV_TCP: 50, "idle handle (libuv)": 100, "poll handle (libuv)": 1,
                       "process handle (libuv)": 1, "pipe handle (libuv)": 1}),
    "gevent": Sees(1, {EV_IO: 20, EV_TIMER: 100, EV_ASYNC: 50, "signal watcher (libev)": 1}, [
        ("", EV_IO, "gevent_callback_io"), ("", EV_TIMER, "gevent_callback_timer"), ("", EV_ASYNC, "gevent_callback_async"),
        ("", "watcher (libev)", "gevent_run_callbacks")]),
    "nghttpd": Sees(3, {EV_IO: 10, EV_ASYNC: 2}),
    "h2load": Sees(2, {EV_IO: 20}),
    "memcached": Sees(5, {EVENT: 2000}),
    "unbound": Sees(2, {EVENT: 20}),
    "transmission": Sees(2, {EVENT: 60, "HTTP callback (libevent)": 60}),
    "tmux": Sees(10, {EVENT: 60, "one-shot event (libevent)": 5, "bufferevent (libevent)": 2}),
    "gio-monitor": Sees(1, {G_SOURCE: 5}),
    "zenity": Sees(2, {G_TIMEOUT: 2, G_UNIX: 1}, [
        ("zenity_msg", G_TIMEOUT, "zenity_util_timeout_handle"), ("zenity_progress", G_UNIX, "")]),
    "qt5-xvfb": Sees(4, {G_SOURCE: 8}, [("QEventDispatcherGlibPrivate::*", G_SOURCE, "")]),
    "qt6-xvfb": Sees(4, {G_SOURCE: 8}, [("QEventDispatcherGlibPrivate::*", G_SOURCE, "")]),
    "systemd-resolved": Sees(1, {SD_SOURCE: 20}, [("sd_bus_attach_event", SD_SOURCE, "")]),
    "knot": Sees(0, {}, turns=20),
}
