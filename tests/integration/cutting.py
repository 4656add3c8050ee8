# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A move that is cut off at a step of its plan, at its begin or in the middle of it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ansible_collections.lunworks.iscsi.tests.integration.harness import Host
from ansible_collections.lunworks.iscsi.tests.integration.moving import MOVE, San
from ansible_collections.lunworks.iscsi.tests.integration.playbooks import ROOT, SAN

PATIENCE = 400  # seconds until a run has come to a step


def cut(san: San, source: Host, destination: Host, step: str, victim: Host | None, after: float) -> bool:
    """Run the move, and so many seconds after the step began, cut the victim's power (None: no host's) and kill the run.

    False when the run ended before it came to the step.
    """
    with tempfile.TemporaryDirectory() as place, socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{place}/socket")
        server.listen()
        server.settimeout(0.2)
        run = start(san, source, destination, step, f"{place}/socket")
        try:
            caller = _called(server, run)
            if caller is None:
                return False
            if after:
                caller.sendall(b"x")
                time.sleep(after)  # how far the step comes meanwhile is chance, as in life
            if victim:
                san.lab.power_cut(victim)
            caller.close()
        finally:
            if run.poll() is None:
                os.killpg(run.pid, signal.SIGKILL)
            run.wait()
    if victim:
        san.lab.boot(victim)
    return True


def start(san: San, source: Host, destination: Host, step: str, where: str) -> subprocess.Popen[bytes]:
    """The playbook in a process group of its own."""
    variables = san.variables(
        vg=",".join(group.name for group in san.groups), source=source, destination=destination
    )
    return subprocess.Popen(
        [
            str(Path(sys.executable).parent / "ansible-playbook"),
            *("-i", san.lab.inventory, "-i", str(SAN), "-e", json.dumps(variables), MOVE),
            *("--limit", ",".join(["localhost", *(host.name for host in san.hosts)])),
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache/collections"),
            "ANSIBLE_HOME": str(ROOT / ".cache/ansible"),
            "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).resolve().parent / "callbacks"),
            "ANSIBLE_CALLBACKS_ENABLED": "at_step",
            "AT_STEP": step,
            "AT_STEP_SOCKET": where,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _called(server: socket.socket, run: subprocess.Popen[bytes]) -> socket.socket | None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and run.poll() is None:
        try:
            return server.accept()[0]
        except TimeoutError:
            continue
    return None


def one_owner(san: San) -> None:
    """At no moment two hosts have access to a LUN, or a group active."""
    told = san.storage.module("lun_info")
    for lun in told["luns"]:
        for state in ("running", "saved"):
            assert len(lun[state]) <= 1, f"The LUN '{lun['name']}' is {state} for {lun[state]}."
    active = {host.name: host.module("volume_use_info")["active"] for host in (san.first, san.second)}
    for group in san.groups:
        owners = [name for name, groups in active.items() if group.name in groups]
        assert len(owners) <= 1, f"'{group.name}' is active on {owners}."
