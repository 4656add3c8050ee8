# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How tgt's own service comes to serve our targets after a boot: what it waits for, and who lets initiators in."""

from __future__ import annotations

import posixpath
from typing import Iterable

from .._host import Host
from .._san.target import Target
from .._san.unit_name import unit_name
from .ipc import SOCKET

UNITS = ("tgt.service", "tgtd.service")  # Debian's, and that of all others
PLACES = ("/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
PROGRAM = "/etc/tgt/lunworks-logins.py"
LOGINS = r"""# Written by lunworks.iscsi. Gives tgtd the CHAP accounts of the targets in conf.d, and lets their initiators in.
# tgt-admin would hand the secrets to a shell, where every user of this host could read them.
import glob
import json
import re
import socket
import struct

SOCKET = "@SOCKET@"
REQUEST, ANSWER = struct.Struct("@ii64sIiQQIIIIII"), struct.Struct("@II")
SYSTEM, TARGET, ACCOUNT, NEW, SHOW, BIND = 0, 1, 7, 0, 2, 3  # tgt, usr/tgtadm.h


def ask(mode, op, tid=-1, body="", outgoing=0):
    data = body.encode(errors="surrogateescape") + b"\0" if body else b""
    size = REQUEST.size + len(data)
    with socket.socket(socket.AF_UNIX) as channel:
        channel.settimeout(30)
        channel.connect(SOCKET)
        channel.sendall(REQUEST.pack(mode, op, b"iscsi", size, tid, 0, 2**64 - 1, 0, 0, 0, outgoing, 0, 0) + data)
        answer = b"".join(iter(lambda: channel.recv(65536), b""))
    error = ANSWER.unpack(answer[: ANSWER.size])[0]
    return error, answer[ANSWER.size :].decode(errors="surrogateescape")


def let_in(tid, said):
    chap = said["chap"]
    for user, secret, outgoing in (
        (chap["user"], chap["secret"], 0),
        (chap["mutual_user"], chap["mutual_secret"], 1),
    ):
        if user:
            ask(ACCOUNT, NEW, body=f"user={user},password={secret}")
            error = ask(ACCOUNT, BIND, tid, f"user={user}", outgoing)[0]
            if error:
                raise SystemExit(f"{said['name']}: no CHAP account '{user}' (error {error}): nobody gets in")
    for names in said["igroups"].values():
        for name in names:
            ask(TARGET, BIND, tid, f"initiator-name={name}")


if "debug: on" in ask(SYSTEM, SHOW)[1]:
    raise SystemExit("tgtd would write the CHAP secrets to the log (debug: on): nobody gets in")
shown = re.findall(r"^Target (\d+): (.*)$", ask(TARGET, SHOW)[1], re.M)
tids = dict((name, int(tid)) for tid, name in shown)
failed = []
for path in sorted(glob.glob("/etc/tgt/conf.d/lunworks-*.conf")):
    with open(path, errors="surrogateescape") as file:
        line = next((line[3:] for line in file if line.startswith("#: ")), "null")
    said = json.loads(line)
    if said and said["chap"] and said["name"] in tids:
        tid = tids[said["name"]]
        if len([1 for one in shown if one[1] == said["name"] or int(one[0]) == tid]) > 1:
            failed.append(f"{said['name']}: shown twice, since an initiator's alias has a line break: nobody gets in")
            continue
        try:
            let_in(tid, said)
        except SystemExit as problem:
            failed.append(str(problem))
if failed:
    raise SystemExit("; ".join(failed))
"""


def unit_of(host: Host) -> str:
    """The unit of tgtd on this host; empty where there is none."""
    return next((unit for unit in UNITS if any(host.stat(f"{place}/{unit}") for place in PLACES)), "")


def drop_in_of(unit: str) -> str:
    """Where systemd is told what the unit waits for (systemd.unit(5))."""
    return f"/etc/systemd/system/{unit}.d/50-lunworks.conf"


def boot_files(unit: str, targets: Iterable[Target]) -> dict[str, str]:
    """What systemd is told, and the program for the accounts where there are any."""
    targets = list(targets)
    if not targets or not unit:
        return {}
    chap = any(one.chap for target in targets for one in target.initiators.values())
    paths = sorted({lun.path for target in targets for lun in target.luns.values()})
    found = {drop_in_of(unit): _drop_in(paths, chap)}
    return {**found, PROGRAM: LOGINS.replace("@SOCKET@", SOCKET)} if chap else found


def _drop_in(paths: list[str], chap: bool) -> str:
    """tgt-admin leaves out a LUN whose device or file is not there, and calls that success. A mount that fails must not keep
    the targets of others from being served, so it is waited for and not required."""
    devices = [f"{unit_name(path)}.device" for path in paths if path.startswith("/dev/")]
    waits = ["network-online.target", *devices]
    mounts = sorted({mount for path in paths if not path.startswith("/dev/") for mount in _mounts(path)})
    lines = ["# Written by lunworks.iscsi. What the targets need before they can be served.", "[Unit]"]
    lines += [f"{key}={wait}" for wait in waits for key in ("Wants", "After")]
    lines += [f"After={mount}" for mount in mounts]
    if chap:
        lines += ["[Service]", f"ExecStartPost=-/usr/bin/env python3 {PROGRAM}"]
    return "".join(f"{line}\n" for line in lines)


def _mounts(path: str) -> list[str]:
    """The units of all mounts that a file may be under."""
    above = posixpath.dirname(path)
    return [] if above == "/" else [f"{unit_name(above)}.mount", *_mounts(above)]
