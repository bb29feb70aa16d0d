#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the engage test under the recorder in a trace directory of its own. usage: run.py LIBTHRUM ENGAGE"""
import os
import subprocess
import sys
import tempfile

with tempfile.TemporaryDirectory(prefix="thrum-engage-") as work:
    trace = os.path.join(work, "trace")
    env = dict(os.environ, LD_PRELOAD=sys.argv[1], THRUM_OPTIONS="dir=" + trace)
    sys.exit(subprocess.run([sys.argv[2], trace], env=env, timeout=120).returncode)
