# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How tgt's own service serves our targets after a boot: what it waits for, and what gives it accounts and lets initiators in."""

from __future__ import annotations

import posixpath
from typing import Iterable

from .._host import Host
from .._san.target import Target
from .._san.unit_name import unit_name
from .discovery import KEPT
from .ipc import SOCKET
from .settings import NOP

UNITS = ("tgt.service", "tgtd.service")  # Debian's, and that of all others
PLACES = ("/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
PROGRAM = "/etc/tgt/lunworks-logins.py"
LOGINS = r"""# Written by lunworks.iscsi. Gives tgtd the CHAP accounts of discovery and of targets, and lets initiators in.
# tgt-admin would hand the secrets to a shell, where every user of this host could read them. And it ignores nops.
import glob
import json
import re
import socket
import struct
import subprocess

SOCKET, DISCOVERY = "@SOCKET@", "@DISCOVERY@"
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


def give(tid, chap):
    for user, secret, outgoing in (
        (chap["user"], chap["secret"], 0),
        (chap["mutual_user"], chap["mutual_secret"], 1),
    ):
        if user:
            ask(ACCOUNT, NEW, body=f"user={user},password={secret}")
            error = ask(ACCOUNT, BIND, tid, f"user={user}", outgoing)[0]
            if error:
                raise SystemExit(f"no CHAP account (error {error})")


def let_in(tid, said):
    give(tid, said["chap"])
    for names in said["igroups"].values():
        for name in names:
            ask(TARGET, BIND, tid, f"initiator-name={name}")


def ping(tid, said):
    for key in sorted(set(said["parameters"]) & {"nop_count", "nop_interval"}):
        change = ("--tid", str(tid), "--name", key, "--value", said["parameters"][key])
        subprocess.run(["tgtadm", "--lld", "iscsi", "--op", "update", "--mode", "target", *change], check=False)


def ask_at_discovery():
    try:
        with open(DISCOVERY) as file:
            chap = json.load(file)
    except FileNotFoundError:
        return
    if debug:
        raise SystemExit("tgtd would write the CHAP secrets to the log (debug: on)")
    give(-1, chap)


LOGGED = "tgtd would write the CHAP secrets to the log (debug: on): nobody gets in"
failed = []
debug = "debug: on" in ask(SYSTEM, SHOW)[1]
try:
    ask_at_discovery()
except SystemExit as problem:
    failed.append(f"discovery may ask nobody for CHAP: {problem}")
except (OSError, ValueError, TypeError, KeyError) as problem:
    failed.append(f"discovery may ask nobody for CHAP: {type(problem).__name__} ({problem}), see '{DISCOVERY}'")
shown = re.findall(r"^Target (\d+): (.*)$", ask(TARGET, SHOW)[1], re.M)
tids = dict((name, int(tid)) for tid, name in shown)
for path in sorted(glob.glob("/etc/tgt/conf.d/lunworks-*.conf")):
    with open(path, errors="surrogateescape") as file:
        line = next((line[3:] for line in file if line.startswith("#: ")), "null")
    said = json.loads(line)
    if not said or said["name"] not in tids:
        continue
    tid = tids[said["name"]]
    if len([1 for one in shown if one[1] == said["name"] or int(one[0]) == tid]) > 1:
        if said["chap"]:
            failed.append(f"{said['name']}: shown twice, since an initiator's alias has a line break: nobody gets in")
        continue
    ping(tid, said)
    if said["chap"] and debug:
        raise SystemExit("; ".join([*failed, LOGGED]))
    try:
        if said["chap"]:
            let_in(tid, said)
    except SystemExit as problem:
        failed.append(f"{said['name']}: {problem}: nobody gets in")
if failed:
    raise SystemExit("; ".join(failed))
"""


def unit_of(host: Host) -> str:
    """The unit of tgtd on this host; empty where there is none."""
    return next((unit for unit in UNITS if any(host.stat(f"{place}/{unit}") for place in PLACES)), "")


def drop_in_of(unit: str) -> str:
    """Where systemd is told what the unit waits for (systemd.unit(5))."""
    return f"/etc/systemd/system/{unit}.d/50-lunworks.conf"


def boot_files(unit: str, targets: Iterable[Target], discovery: bool) -> dict[str, str]:
    """What systemd is told, and the program for the accounts and nops where there are any; 'discovery': of it too."""
    targets = list(targets)
    if not (targets or discovery) or not unit:
        return {}
    told = discovery or any(one.chap for target in targets for one in target.initiators.values())
    told = told or any(set(NOP) & set(target.parameters) for target in targets)
    paths = sorted({lun.path for target in targets for lun in target.luns.values()})
    found = {drop_in_of(unit): _drop_in(paths, told)}
    program = LOGINS.replace("@SOCKET@", SOCKET).replace("@DISCOVERY@", KEPT)
    return {**found, PROGRAM: program} if told else found


def _drop_in(paths: list[str], told: bool) -> str:
    """tgt-admin leaves out a LUN whose device or file is not there, and calls that success. A mount that fails must not keep
    the targets of others from being served, so it is waited for and not required."""
    devices = [f"{unit_name(path)}.device" for path in paths if path.startswith("/dev/")]
    waits = ["network-online.target", *devices]
    mounts = sorted({mount for path in paths if not path.startswith("/dev/") for mount in _mounts(path)})
    lines = ["# Written by lunworks.iscsi. What the targets need before they can be served.", "[Unit]"]
    lines += [f"{key}={wait}" for wait in waits for key in ("Wants", "After")]
    lines += [f"After={mount}" for mount in mounts]
    if told:
        lines += ["[Service]", f"ExecStartPost=-/usr/bin/env python3 {PROGRAM}"]
    return "".join(f"{line}\n" for line in lines)


def _mounts(path: str) -> list[str]:
    """The units of all mounts that a file may be under."""
    above = posixpath.dirname(path)
    return [] if above == "/" else [f"{unit_name(above)}.mount", *_mounts(above)]
