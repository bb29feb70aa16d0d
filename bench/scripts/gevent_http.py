# SPDX-License-Identifier: MIT
"""gevent_http.py PORT - gevent's WSGI server on libev: a greenlet a connection, timers, a thread pool."""
import hashlib
import signal
import sys

import gevent
from gevent.pywsgi import WSGIServer


def app(environ, start):
    path = environ["PATH_INFO"]
    body = b"hello"
    if path == "/timer":
        gevent.sleep(0.005)
        body = b"later"
    elif path == "/pool":
        body = gevent.get_hub().threadpool.apply(hashlib.sha256, (b"x" * 10000,)).hexdigest().encode()
    start("200 OK", [("Content-Length", str(len(body)))])
    return [body]


server = WSGIServer(("127.0.0.1", int(sys.argv[1])), app, log=None)
gevent.signal_handler(signal.SIGTERM, server.stop)
server.serve_forever()
