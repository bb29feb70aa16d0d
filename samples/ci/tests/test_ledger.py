# SPDX-License-Identifier: MIT
"""The library from Python: `LEDGER=build/libledger.so thrum run -- python3 -m pytest tests`."""
import ctypes
import os
import threading

ledger = ctypes.CDLL(os.path.abspath(os.environ.get("LEDGER", "build/libledger.so")))


def run_in_thread(function, *args):
    results = []
    thread = threading.Thread(target=lambda: results.append(function(*args)))
    thread.start()
    thread.join()
    return results[0]


def test_transfers_keep_the_sum():
    ledger.ledger_deposit(0, 500)
    run_in_thread(ledger.ledger_transfer, 0, 1, 200)
    assert run_in_thread(ledger.ledger_audit) == 500
