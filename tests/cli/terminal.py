# SPDX-License-Identifier: MIT
"""A terminal for tests: a program on a pseudo-terminal, and the screen that its output makes. As much of a VT100 as ncurses uses."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

LIMIT = 30  # seconds for anything to appear; only a hang reaches it
SEQUENCE = re.compile(r"\x1b(?:\]104\x07|\[([?>]?)([\d;]*)([@-~])|([()])(.)|([=>78DEMHc]))")


class Screen:
    def __init__(self, rows, columns):
        self.resize(rows, columns)
        self.pending = ""
        self.unknown = []
        self.alternate = False  # between smcup and rmcup

    def resize(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.cells = [[" "] * columns for _ in range(rows)]
        self.marked = [[False] * columns for _ in range(rows)]
        self.row = self.column = 0
        self.first, self.last = 0, rows - 1  # what scrolls
        self.is_marked = False

    def lines(self):
        return ["".join(row).rstrip() for row in self.cells]

    def marked_line(self):
        """The row under the cursor bar: the first that is marked, but the bar at the top and the foot."""
        for row in range(2, self.rows - 1):
            if self.marked[row][0]:
                return "".join(self.cells[row]).rstrip()
        return None

    def feed(self, text):
        text = self.pending + text
        at = 0
        while at < len(text):
            c = text[at]
            if c != "\x1b":
                self.put(c)
                at += 1
                continue
            match = SEQUENCE.match(text, at)
            if not match:
                if len(text) - at < 16:
                    break  # the rest comes later
                self.unknown.append(text[at : at + 16])
                at += 1
                continue
            self.control(match)
            at = match.end()
        self.pending = text[at:]

    def put(self, c):
        if c == "\r":
            self.column = 0
        elif c == "\n":
            if self.row == self.last:
                self.scroll(self.first, 1)
            else:
                self.row = min(self.row + 1, self.rows - 1)
        elif c == "\b":
            self.column = max(self.column - 1, 0)
        elif c in "\x0e\x0f\x07\x00":
            pass
        elif ord(c) < 0x20:
            self.unknown.append(c)
        else:
            if self.column >= self.columns:  # wraps
                self.column = 0
                self.row = min(self.row + 1, self.rows - 1)
            self.cells[self.row][self.column] = c
            self.marked[self.row][self.column] = self.is_marked
            self.column += 1

    def scroll(self, first, by):
        """Rows from `first` to the end of the region move up, or down."""
        for grid, blank in ((self.cells, " "), (self.marked, False)):
            rows = grid[first : self.last + 1]
            new = [[blank] * self.columns for _ in range(min(abs(by), len(rows)))]
            grid[first : self.last + 1] = rows[by:] + new if by > 0 else new + rows[:by]

    def erase(self, row, first, end):
        for column in range(first, min(end, self.columns)):
            self.cells[row][column] = " "
            self.marked[row][column] = False

    def control(self, match):
        private, numbers, final, charset, _, other = match.groups()
        if other == "M":  # back by a row
            if self.row == self.first:
                self.scroll(self.first, -1)
            else:
                self.row = max(self.row - 1, 0)
        if charset or other or not final:  # ]104: the palette as it was, which ncurses sends
            return
        values = [int(n) if n else 0 for n in numbers.split(";")]
        first = values[0] or 1
        if private:
            if private == "?" and 1049 in values:
                self.alternate = final == "h"
            return
        if final in "Hf":
            self.row = min(first, self.rows) - 1
            self.column = min((values[1] if len(values) > 1 else 1) or 1, self.columns) - 1
        elif final in "ABCDGd":
            self.row = {"A": self.row - first, "B": self.row + first, "d": first - 1}.get(final, self.row)
            self.column = {"C": self.column + first, "D": self.column - first, "G": first - 1}.get(final, self.column)
            self.row = max(0, min(self.row, self.rows - 1))
            self.column = max(0, min(self.column, self.columns - 1))
        elif final == "J":
            whole = values[0] == 2
            for row in range(0 if whole else self.row, self.rows):
                self.erase(row, 0 if whole or row > self.row else self.column, self.columns)
        elif final == "K":
            self.erase(self.row, 0 if values[0] else self.column, self.column + 1 if values[0] == 1 else self.columns)
        elif final == "X":
            self.erase(self.row, self.column, self.column + first)
        elif final == "P":
            self.cells[self.row][self.column : self.column + first] = []
            self.cells[self.row] += [" "] * (self.columns - len(self.cells[self.row]))
        elif final == "@":
            self.cells[self.row][self.column : self.column] = [" "] * first
            self.cells[self.row] = self.cells[self.row][: self.columns]
        elif final == "b":
            for _ in range(first):
                self.put(self.cells[self.row][max(self.column - 1, 0)])
        elif final == "m":
            for value in values:
                if value in (0, 7, 27):
                    self.is_marked = value == 7
        elif final == "r":
            self.first = first - 1
            self.last = (values[1] if len(values) > 1 and values[1] else self.rows) - 1
            self.row = self.column = 0
        elif final in "ST":
            self.scroll(self.first, first if final == "S" else -first)
        elif final in "LM":
            self.scroll(self.row, first if final == "M" else -first)
        elif final not in "hlt":
            self.unknown.append(match.group(0))


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, command, env, rows=24, columns=80, cwd=None):
        self.screen = Screen(rows, columns)
        self.raw = b""
        self.decoder = __import__("codecs").getincrementaldecoder("utf-8")("replace")
        self.master, slave = pty.openpty()
        self.slave = os.dup(slave)  # so that its modes can be read when the program is gone
        self.size(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=env, cwd=cwd,
                                        start_new_session=True, preexec_fn=self.control_terminal)
        os.close(slave)

    @staticmethod
    def control_terminal():
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def size(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, rows, columns):
        self.pump(0.05)
        self.screen.resize(rows, columns)
        self.size(rows, columns)
        self.process.send_signal(signal.SIGWINCH)

    def send(self, keys):
        os.write(self.master, keys.encode() if isinstance(keys, str) else keys)

    def pump(self, seconds):
        """Reads what comes within the time; False = nothing did."""
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.raw += data
        self.screen.feed(self.decoder.decode(data))
        return bool(data)

    def wait_for(self, pattern):
        """Until the screen has it; returns the screen."""
        return self.wait_until(pattern, lambda: "\n".join(self.screen.lines()))

    def wait_for_marked(self, pattern):
        """The same of the row that is marked."""
        return self.wait_until(pattern, lambda: self.screen.marked_line() or "")

    def wait_until(self, pattern, look):
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            if re.search(pattern, look()):
                while self.pump(0.1) and time.monotonic() < end:
                    pass  # the rest of the picture
                if re.search(pattern, look()):
                    return look()
            if not self.pump(0.2) and self.process.poll() is not None and not self.pump(0.05):
                break
        raise AssertionError(f"no {pattern!r} on the screen:\n" + "\n".join(self.screen.lines()))

    def wait(self):
        """The status, after all output was read."""
        end = time.monotonic() + LIMIT
        while self.process.poll() is None and time.monotonic() < end:
            self.pump(0.05)
        while self.pump(0.05):
            pass
        return self.process.wait(1)

    def modes(self):
        return termios.tcgetattr(self.slave)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(LIMIT)
        os.close(self.master)
        os.close(self.slave)
