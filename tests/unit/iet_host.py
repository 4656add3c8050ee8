# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with IET: the files of it, /proc/net/iet, and an ietadm that changes what runs. No kernel of today has IET's part."""

from __future__ import annotations

import errno

from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem, Ran
from ansible_collections.lunworks.iscsi.tests.unit.iet_reader import NUMBERS, WORDS, read_conf
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

CONF, ALLOW, PORTALS = "/etc/iet/ietd.conf", "/etc/iet/initiators.allow", "/etc/iet/targets.allow"
HERE = "  |-- 192.0.2.1\n     /32 host LOCAL\n  |-- 192.0.2.2\n     /32 host LOCAL\n"
SERVICE = "/etc/init.d/iscsitarget"
SPELLED = {
    key.lower(): key
    for key in (
        "Wthreads Type QueuedCommands NOPInterval NOPTimeout InitialR2T ImmediateData MaxConnections MaxRecvDataSegmentLength "
        "MaxXmitDataSegmentLength MaxBurstLength FirstBurstLength DefaultTime2Wait DefaultTime2Retain MaxOutstandingR2T "
        "DataPDUInOrder DataSequenceInOrder ErrorRecoveryLevel HeaderDigest DataDigest OFMarker IFMarker"
    ).split()
}
TARGET_KEYS = ("wthreads", "type", "queuedcommands", "nopinterval", "noptimeout")
DEFAULTS = {
    **{key: least for key, (least, _most) in NUMBERS.items()},
    **{key: few[0] for key, few in WORDS.items()},
}


class IetHost(ScriptedHost):
    """What ietd does, done to 'self.live'; with runs=False it is not started."""

    def __init__(self, files=None, runs=True, sessions=(), **more):
        super().__init__({"/proc/net/fib_trie": HERE, SERVICE: "#!/bin/sh\n", **(files or {})}, **more)
        self.live = {} if runs else None
        self.sessions = list(sessions)  # (target, initiator, address)
        self.argvs = []
        if runs:
            self.start()

    def start(self):
        """What the daemon does with its file."""
        targets, self.discovery = read_conf((self.files_text(CONF) or "").encode(errors="surrogateescape"))
        self.live = {}
        for name, one in targets.items():
            self.live[name] = {**one, "tid": len(self.live) + 1, "keys": {**DEFAULTS, **one["keys"]}}
        self.proc()

    def files_text(self, path):
        value = self.files.get(path)
        return value.get("text", "") if isinstance(value, dict) else value

    def proc(self):
        """What /proc/net/iet says, the newest target first."""
        volumes = sessions = ""
        for name, one in reversed(self.live.items()):
            head = f"tid:{one['tid']} name:{name}\n"
            volumes, sessions = volumes + head, sessions + head
            for number, lun in one["luns"].items():
                size = self.files.get(lun.get("path"))
                size = size.get("size", 0) if isinstance(size, dict) else 0
                blocks = one.setdefault("sizes", {}).setdefault(number, size)
                volumes += (
                    f"\tlun:{number} state:0 iotype:{lun.get('type', 'fileio')} iomode:{lun.get('iomode', 'wt')} "
                    f"blocks:{blocks // 512} blocksize:512"
                    + (f" path:{lun['path']}\n" if "path" in lun else "\n")
                )
            for at, (target, who, address) in enumerate(self.sessions):
                if target == name:
                    sessions += f"\tsid:{at + 1} initiator:{who}\n\t\tcid:0 ip:{address} state:active hd:none dd:none\n"
        self.files["/proc/net/iet/volume"], self.files["/proc/net/iet/session"] = volumes, sessions

    def run(self, *argv, ok=(0,), timeout=60, stdin=""):
        if argv[0] not in ("ietadm", SERVICE):
            return super().run(*argv, ok=ok, timeout=timeout, stdin=stdin)
        self.argvs.append(argv)
        line = " ".join(argv)
        if argv[0] == SERVICE:
            self.did.append(f"run {line}")
            self.sessions = []
            self.start()
            return Ran(0, "", "")
        given = dict(one[2:].split("=", 1) for one in argv[3:] if "=" in one)
        rc, out = self.ietadm(argv[2], given, "--user" in argv)
        if argv[2] != "show":
            self.did.append(f"run {line}")
            self.proc()
        if ok is not None and rc not in ok:
            raise Problem(f"'{line}' failed with exit code {rc}")
        return Ran(rc, out, "")

    def ietadm(self, verb, given, user):
        name = next((name for name, one in self.live.items() if str(one["tid"]) == given["tid"]), None)
        if verb == "new" and "lun" not in given:
            self.live[given["params"].partition("=")[2]] = {
                "tid": int(given["tid"]),
                "luns": {},
                "keys": dict(DEFAULTS),
                "in": [],
                "out": None,
            }
            return 0, ""
        if name is None:
            return 256 - errno.ENOENT, ""
        one = self.live[name]
        if verb == "show":
            return 0, self.shown(one, given, user)
        if "lun" in given:
            return self.lun(name, verb, int(given["lun"]), given.get("params", "")), ""
        if verb == "update":
            key, _equals, value = given["params"].partition("=")
            one["keys"][key.lower()] = value
        elif "sid" in given:
            del self.sessions[int(given["sid"]) - 1]
        elif any(target == name for target, _who, _address in self.sessions):
            return 256 - errno.EBUSY, ""
        else:
            del self.live[name]
        return 0, ""

    def lun(self, name, verb, number, params):
        line = f"Target {name}\nLun {number} {params}\n".encode()
        if verb == "delete":
            del self.live[name]["luns"][number]
            self.live[name].get("sizes", {}).pop(number, None)
            return 0
        if number in self.live[name]["luns"]:
            return 256 - errno.EEXIST
        self.live[name]["luns"].update(read_conf(line, strict=(name,))[0][name]["luns"])
        return 0

    @staticmethod
    def shown(one, given, user):
        if user and "params" in given:
            key, _equals, who = given["params"].partition("=")
            found = dict(one["in"] if key == "IncomingUser" else [one["out"]])
            return f"{key} {who} {found[who]}\n"
        if user:
            return "".join(f"IncomingUser {who}\n" for who, _secret in one["in"]) + (
                f"OutgoingUser {one['out'][0]}\n" if one["out"] else ""
            )
        keys = [key for key in one["keys"] if (key in TARGET_KEYS) == ("sid" not in given) and key in SPELLED]
        shown = {key: "CRC32C" if "CRC32C" in str(one["keys"][key]) else one["keys"][key] for key in keys}
        return "".join(f"{SPELLED[key]}={shown[key]}\n" for key in keys)
