# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scripted host on which tgtd answers as the real one (tgt 1.0.85): what it serves, what it refuses, and what it dies of."""

from __future__ import annotations

import json
import re
import struct

from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem, Ran
from ansible_collections.lunworks.iscsi.plugins.module_utils._tgt.ipc import REQUEST, SOCKET
from ansible_collections.lunworks.iscsi.plugins.module_utils._tgt.tgtadm import megabytes
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

PARAMETERS = {"MaxRecvDataSegmentLength": "8192", "HeaderDigest": "None", "InitialR2T": "Yes"}
LUN = """\
        LUN: {number}
            Type: {kind}
            SCSI ID: {identity}
            SCSI SN: {serial}
            Size: {size} MB, Block size: {block}
            Online: {online}
            Removable media: {removable}
            Prevent removal: No
            Readonly: {readonly}
            SWP: No
            Thin-provisioning: No
            Backing store type: {store}
            Backing store path: {path}
            Backing store flags: {flags}
"""
FILES = {
    "/usr/sbin/tgtadm": "",
    "/lib/systemd/system/tgt.service": "",
    "/etc/tgt/targets.conf": "include /etc/tgt/conf.d/*.conf\n",
    "/srv/luns": {"kind": "directory"},
    "/proc/net/fib_trie": "           |-- 192.0.2.1\n              /32 host LOCAL\n",
}


def yes(value):
    return "Yes" if value else "No"


class Died(AssertionError):
    """tgtd has dereferenced a null pointer, and with it all sessions are gone."""


class TgtHost(ScriptedHost):
    """'debug': tgtd logs all that it is told. 'accounts': secrets by user. 'targets' by tid: {name, ready, luns, incoming,
    outgoing, names, addresses, sessions}."""

    debug = False

    def __init__(self, files=None, targets=None, accounts=None, active=True, fails=""):
        super().__init__({**FILES, **(files or {})}, changing=["sync", "systemctl"])
        self.active, self.fails, self.targets, self.accounts = active, fails, {}, dict(accounts or {})
        self.discovery = {"incoming": [], "outgoing": ""}
        for tid, given in (targets or {}).items():
            self.targets[tid] = {**self._new(tid, given["name"]), **given}
        for target in self.targets.values():
            for number, lun in target["luns"].items():
                target["luns"][number] = {**self._lun(number), "online": True, "removable": False, **lun}

    def run(self, *argv, ok=(0,), timeout=60, stdin=""):
        if argv[0] != "tgtadm":
            if argv[:3] == ("systemctl", "enable", "--now"):
                self._start()
            return super().run(*argv, ok=ok, timeout=timeout, stdin=stdin)
        line = " ".join(argv)
        options = {
            one[2:]: argv[at + 1]
            for at, one in enumerate(argv)
            if one.startswith("--") and one != "--outgoing"
        }
        options["outgoing"] = "--outgoing" in argv
        assert "password" not in options, "a secret as an argument"
        ran = self._tgtadm(line, options)
        if ok is not None and ran.rc not in ok:
            raise Problem(f"'{line}' failed with exit code {ran.rc}: {ran.err}")
        return ran

    def _tgtadm(self, line, options):
        if not self.active:
            return Ran(107, "", "tgtadm: failed to send request hdr to tgt daemon")
        act = getattr(self, f"_{options['mode']}_{options['op']}")
        if "tid" in options and options["op"] == "show" and self._at(options) is None:
            return Ran(22, "", "can't find the target")
        if options["op"] == "show":
            return Ran(0, act(options), "")
        if self.fails and self.fails in line:
            self.fails = ""
            return Ran(22, "", "unknown error")
        if act(options):
            self.did.append(f"run {line[len('tgtadm --lld iscsi ') :]}")
            return Ran(0, "", "")
        return Ran(22, "", "invalid request")

    def dialogue(self, path, message, seconds=15):
        assert path == SOCKET
        fields = REQUEST.unpack(message[: REQUEST.size])
        mode, op, body = fields[0], fields[1], message[REQUEST.size :].rstrip(b"\0").decode()
        assert fields[3] == len(message)
        text, error = b"", 0
        if (mode, op) == (0, 2):
            text = b"System:\n    State: ready\n    debug: " + (b"on" if self.debug else b"off") + b"\n"
        else:
            assert (mode, op) == (7, 0)
            user, _comma, secret = body[len("user=") :].partition(",password=")
            error = 14 if user in self.accounts else 0
            self.accounts.setdefault(user, secret)
            self.did.append(f"account {user}")
        return struct.pack("@II", error, 8 + len(text)) + text

    @staticmethod
    def _new(tid, name):
        return {
            "name": name,
            "ready": True,
            "luns": {},
            "incoming": [],
            "outgoing": "",
            "names": [],
            "addresses": [],
            "sessions": {},
            "parameters": dict(PARAMETERS),
            "tid": tid,
        }

    @staticmethod
    def _lun(number, block=512):
        return {
            "identity": f"IET     0001{number:04x}",
            "serial": f"beaf1{number}",
            "size": 0,
            "block": block,
            "online": False,
            "removable": True,
            "readonly": False,
            "path": "",
            "cache": True,
            "kind": "disk",
            "store": "rdwr",
        }

    def _start(self):
        """tgt-admin and our program with what conf.d has."""
        if self.active:
            return
        self.active = True
        asked = json.loads(self.read("/etc/tgt/lunworks-discovery.json") or "{}")
        if asked:
            self.accounts[asked["user"]] = asked["secret"]
            self.discovery = {"incoming": [asked["user"]], "outgoing": asked["mutual_user"]}
            if asked["mutual_user"]:
                self.accounts[asked["mutual_user"]] = asked["mutual_secret"]
        for path in self.list("/etc/tgt/conf.d"):
            text = self.read(f"/etc/tgt/conf.d/{path}")
            said = json.loads(re.search("^#: (.*)$", text, re.M)[1])
            tid = max(self.targets, default=0) + 1
            target = self.targets[tid] = self._new(tid, said["name"])
            target["parameters"].update(said["parameters"])
            target["ready"] = said["enabled"]
            target["addresses"] = ["255.255.255.255"]
            target["names"] = [name for names in said["igroups"].values() for name in names]
            for lun in said["luns"]:
                if self.stat(lun["path"]):
                    target["luns"][lun["number"]] = {
                        **self._lun(lun["number"], lun["block_size"]),
                        "identity": lun["identity"],
                        "serial": lun["serial"],
                        "path": lun["path"],
                        "readonly": lun["read_only"],
                        "cache": lun["write_back"],
                        "online": True,
                        "removable": False,
                        "size": self.stat(lun["path"]).st_size,
                    }
            if said["chap"]:
                chap = said["chap"]
                self.accounts[chap["user"]] = chap["secret"]
                target["incoming"], target["outgoing"] = [chap["user"]], chap["mutual_user"]
                if chap["mutual_user"]:
                    self.accounts[chap["mutual_user"]] = chap["mutual_secret"]

    def _at(self, options):
        return self.targets.get(int(options["tid"]))

    def _target_show(self, options):
        if "tid" in options:
            return "".join(f"{key}={value}\n" for key, value in self._at(options)["parameters"].items())
        return "".join(self._shown(tid, self.targets[tid]) for tid in sorted(self.targets))

    def _shown(self, tid, target):
        if "" in target["incoming"][: len([one for one in target["incoming"] if one])]:
            raise Died(f"a gap before an account of {target['name']}")
        sessions = "".join(
            f"        I_T nexus: {sid}\n            Initiator: {who} alias: host\n            Connection: 0\n"
            "                IP Address: 192.0.2.9\n"
            for sid, who in target["sessions"].items()
        )
        controller = {
            **self._lun(0, 1),
            "online": True,
            "removable": False,
            "kind": "controller",
            "store": "null",
        }
        luns = "".join(
            LUN.format(
                **{
                    **lun,
                    "number": number,
                    "size": megabytes(lun["size"]),
                    "online": yes(lun["online"]),
                    "removable": yes(lun["removable"]),
                    "readonly": yes(lun["readonly"]),
                    "path": lun["path"] or "None",
                    "flags": "",
                }
            )
            for number, lun in sorted({0: controller, **target["luns"]}.items())
        )
        users = [one for one in target["incoming"] if one]
        users += [f"{target['outgoing']} (outgoing)"] if target["outgoing"] else []
        return (
            f"Target {tid}: {target['name']}\n    System information:\n        Driver: iscsi\n"
            f"        State: {'ready' if target['ready'] else 'offline'}\n    I_T nexus information:\n{sessions}"
            f"    LUN information:\n{luns}    Account information:\n"
            + "".join(f"        {one}\n" for one in users)
            + "    ACL information:\n"
            + "".join(f"        {one}\n" for one in [*target["addresses"], *target["names"]])
        )

    def _portal_show(self, options):
        return "Portal: 0.0.0.0:3260,1\nPortal: [::]:3260,1\n"

    def _account_show(self, options):
        return "Account list:\n" + "".join(f"    {user}\n" for user in self.accounts)

    def _sys_show(self, options):
        debug = "on" if self.debug else "off"
        text = f"System:\n    State: ready\n    debug: {debug}\n"
        known = [one for one in self.discovery["incoming"] if one]
        if "" in self.discovery["incoming"][: len(known)]:
            raise Died("a gap before an account of discovery")
        if known:
            proof = f"    {self.discovery['outgoing']} (outgoing)\n" if self.discovery["outgoing"] else ""
            text += "    Account information:\n\n" + "".join(f"    {one}\n" for one in known) + proof
        return text + "iSNS:\n    iSNS=Off\n"

    def _conn_show(self, options):
        return "".join(
            f"Session: {sid}\n    Connection: 0\n        Initiator: {name}\n        IP Address: 192.0.2.9\n"
            for sid, who in self._at(options)["sessions"].items()
            for name in [who.partition(" alias: ")[0]]
        )

    def _conn_delete(self, options):
        return self._at(options)["sessions"].pop(int(options["sid"]), None)

    def _target_new(self, options):
        tid = int(options["tid"])
        if tid in self.targets or any(one["name"] == options["targetname"] for one in self.targets.values()):
            return False
        self.targets[tid] = self._new(tid, options["targetname"])
        return True

    def _target_delete(self, options):
        return not self._at(options)["sessions"] and self.targets.pop(int(options["tid"]))

    def _target_update(self, options):
        target = self._at(options)
        if options["name"] == "state":
            target["ready"] = options["value"] == "ready"
        else:
            target["parameters"][options["name"]] = options["value"]
        return True

    def _rules(self, options):
        key = "names" if "initiator-name" in options else "addresses"
        return self._at(options)[key], options.get("initiator-name") or options["initiator-address"]

    def _target_bind(self, options):
        rules, rule = self._rules(options)
        return rule not in rules and (rules.append(rule) or True)

    def _target_unbind(self, options):
        rules, rule = self._rules(options)
        return rule in rules and (rules.remove(rule) or True)

    def _account_delete(self, options):
        user = options["user"]
        for target in (*self.targets.values(), self.discovery):
            target["incoming"] = ["" if one == user else one for one in target["incoming"]]
            target["outgoing"] = "" if target["outgoing"] == user else target["outgoing"]
        return self.accounts.pop(user, None) is not None

    def _bound(self, options):
        return self._at(options) if "tid" in options else self.discovery

    def _account_bind(self, options):
        target, user = self._bound(options), options["user"]
        if (
            user not in self.accounts
            or user in target["incoming"]
            or (options["outgoing"] and target["outgoing"])
        ):
            return False
        if options["outgoing"]:
            target["outgoing"] = user
        elif "" in target["incoming"]:
            target["incoming"][target["incoming"].index("")] = user
        else:
            target["incoming"].append(user)
        return True

    def _account_unbind(self, options):
        target, user = self._bound(options), options["user"]
        if options["outgoing"]:
            there, target["outgoing"] = target["outgoing"] == user, ""
            return there
        if user not in target["incoming"]:
            return False
        target["incoming"][target["incoming"].index(user)] = ""
        return True

    def _logicalunit_new(self, options):
        luns, number = self._at(options)["luns"], int(options["lun"])
        if number in luns or not number:
            return False
        luns[number] = self._lun(number, int(options.get("blocksize", 512)))
        return True

    def _logicalunit_delete(self, options):
        return self._at(options)["luns"].pop(int(options["lun"]), None)

    def _logicalunit_update(self, options):
        lun = self._at(options)["luns"].get(int(options["lun"]))
        if lun is None:
            return False
        for pair in options["params"].split(","):
            key, _equals, value = pair.partition("=")
            if key == "path":
                if self.stat(value) is None or lun["online"]:
                    return False
                lun.update(path=value, size=self.stat(value).st_size, online=True)
            elif key == "mode_page":
                lun["cache"] = ":0x14:" in value.split(":0xff")[0] + ":"
            elif key in ("removable", "readonly"):
                lun[key] = value == "1"
            else:
                lun[{"scsi_id": "identity", "scsi_sn": "serial"}[key]] = value
        return True
