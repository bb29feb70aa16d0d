# SPDX-License-Identifier: MIT
# SHOWS the near miss of py_lock_order_inversion: the second thread is started when the first one was joined
# NEVER lock-order-inversion deadlock
# RUN clean
import threading

accounts = threading.Lock()
audit = threading.Lock()


def debit():
    with accounts:
        with audit:
            pass


def credit():
    with audit:
        with accounts:
            pass


for work in (debit, credit):
    t = threading.Thread(target=work)
    t.start()
    t.join()
