"""One TLS context for many connections: what it trusts is read once.

The libraries that connect tell the context of each new connection its bundle of authorities, and
to read one takes 18 ms of CPU (Python 3.13, certifi 2026-10): of the 40 connections of a cold run,
most of a second, and several times that in a small Lambda.
"""

import ssl
import threading
from typing import Any


def shared(context: ssl.SSLContext) -> ssl.SSLContext:
    """``context``, which from now on reads a bundle that it has read no second time.

    Safe for many threads. One for each side that trusts others: an authority of the owner's for AWS
    (``AWS_CA_BUNDLE``) says nothing about SmugMug.
    """
    load, lock = context.load_verify_locations, threading.Lock()
    read: set[tuple[Any, ...]] = set()

    def load_once(cafile: Any = None, capath: Any = None, cadata: Any = None) -> None:
        with lock:
            if (cafile, capath, cadata) not in read:
                load(cafile, capath, cadata)
                read.add((cafile, capath, cadata))

    context.load_verify_locations = load_once  # type: ignore[method-assign]
    return context
