# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Portals that take connections and then hang, on a storage host: as a target does whose software has got stuck."""

from __future__ import annotations

import contextlib
import time
from typing import Iterator

from ansible_collections.lunworks.iscsi.tests.integration.harness import Host

AT_LOGIN, ALWAYS = (
    3270,
    3271,
)  # ports: one tells what it offers and hangs at the login, the other says nothing at all
SCRIPT = """
import socket, sys, threading

def pump(a, b):
    while True:
        data = a.recv(65536)
        if not data:
            b.shutdown(socket.SHUT_WR)
            return
        b.sendall(data)

def serve(taken, address, port):
    said = taken.recv(65536)
    if port == AT_LOGIN and b"SessionType=Discovery" in said:
        real = socket.create_connection((address, 3260))
        real.sendall(said)
        threading.Thread(target=pump, args=(real, taken), daemon=True).start()
        pump(taken, real)
    while said:
        said = taken.recv(65536)  # and never an answer

def listen(address, port):
    server = socket.create_server((address, port), backlog=128)
    while True:
        taken = server.accept()[0]
        threading.Thread(target=serve, args=(taken, address, port), daemon=True).start()

for port in (AT_LOGIN, ALWAYS):
    threading.Thread(target=listen, args=(sys.argv[1], port), daemon=True).start()
threading.Event().wait()
"""


@contextlib.contextmanager
def stalling(storage: Host, address: str) -> Iterator[None]:
    """Both portals stand at this address of the storage host."""
    names = f"AT_LOGIN, ALWAYS = {AT_LOGIN}, {ALWAYS}\n"
    storage.write("/run/stalling.py", names + SCRIPT)
    storage.run(
        f"systemd-run --quiet --unit=stalling --property=CollectMode=inactive-or-failed"
        f" python3 /run/stalling.py {address}"
    )
    try:
        end = time.monotonic() + 30
        while storage.run(f"ss -Hltn 'sport = {ALWAYS} or sport = {AT_LOGIN}'").out.count("LISTEN") < 2:
            assert time.monotonic() < end, storage.run("systemctl status stalling", check=False).out
        yield
    finally:
        storage.run("systemctl stop stalling; rm -f /run/stalling.py", check=False)
