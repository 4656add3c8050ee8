# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that is a script: files and the answers to commands, as data; it writes down what is done to it."""

from __future__ import annotations

import copy
import os
import stat as modes
from contextlib import contextmanager
from types import SimpleNamespace

from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Host, Late, Problem, Ran
from ansible_collections.lunworks.iscsi.plugins.module_utils._lvm.model import SETTINGS
from ansible_collections.lunworks.iscsi.tests.unit.chap_card import answer as card_answer
from ansible_collections.lunworks.iscsi.tests.unit.login_portal import LoginPortal
from ansible_collections.lunworks.iscsi.tests.unit.pv_bytes import pv_bytes

# The commands of LVM, by how they begin (lvm(8)); 'lvmconfig' and 'lvm ...' are among them.
LVM = ("lvm", "lvs", "vgs", "pvs", "lvc", "lve", "lvr", "vgc", "vge", "vgi", "vgr", "pvc", "pvr")


def without_settings(argv):
    """A command of LVM without the settings that each must say, so that scripts need not."""
    if not argv[0].startswith(LVM):
        return argv
    at = argv.index("--config") if "--config" in argv else len(argv)
    if not argv[at + 1 : at + 2] or not argv[at + 1].startswith(SETTINGS):
        raise NotScripted(f"the user's lvm.conf decides: {argv}")
    rest = argv[at + 1][len(SETTINGS) :].strip()
    return (*argv[:at], *(("--config", rest) if rest else ()), *argv[at + 2 :])


PROCESS = 4242  # the module's own; it began 77 ticks after the boot. Where it is killed, the next one has another number


class NotScripted(AssertionError):
    """The script of this host does not say what it would answer."""


class ScriptedHost(Host):
    """Files: {path: text, or None for 'not there', or {text, mode, mtime}, or {link: target}}.

    Runs: {'the command line': output text, or {rc, out, err}, or {late: true}}. A command that is not there fails the test.
    'did' lists what was changed, in order: 'run ...' for commands in 'changing', and each write, poke, mkdir ...
    """

    def __init__(
        self,
        files=None,
        runs=None,
        changing=(),
        booted=1000.0,
        silent=None,
        scsi=None,
        cards=None,
        portals=None,
        effects=(),
        largest=None,
    ):
        self.files = {path: value for path, value in (files or {}).items() if value is not None}
        self.runs = dict(runs or {})
        self.changing = tuple(changing)
        self.silent = silent or {}  # portals that do not answer: {"address:port": why}
        self.luns = (
            scsi or {}
        )  # what devices answer: {device: {wwid, serial, size, product, luns} or "unmapped"}
        self.cards = copy.deepcopy(cards or {})  # CHAP tables: {host number: {index: [user, secret, mutual]}}
        self.portals = portals or {}  # what answers a login: {"address:port": the targets of a LoginPortal}
        self.largest = largest or {}  # packets that are answered: {address: the largest, 0 for none}
        self.effects = effects  # what commands lead to: see '_take_effect'
        self.process = PROCESS
        self.did = []
        self.locked = []
        self._booted = booted

    def run(self, *argv, ok=(0,), timeout=60, stdin=""):
        line = " ".join(without_settings(argv))
        if line.startswith(self.changing) and self.changing:
            self.did.append(f"run {line}")
            answer = self.runs.get(line, "")
            self._take_effect(line)
        elif line not in self.runs:
            raise NotScripted(f"not in the script: {line}")
        else:
            answer = self.runs[line]
        if "late" in answer and not isinstance(answer, str):
            raise Late(f"'{line}' did not end within {timeout:g} seconds.")
        ran = (
            Ran(0, answer, "")
            if isinstance(answer, str)
            else Ran(answer.get("rc", 0), answer.get("out", ""), answer.get("err", ""))
        )
        if ok is not None and ran.rc not in ok:
            raise Problem(f"'{line}' failed with exit code {ran.rc}: {(ran.err or ran.out).strip()}")
        return ran

    def _take_effect(self, line):
        """What the host is after a command that begins like 'run': its 'files', its answers ('runs'), texts in them ('edit')."""
        for effect in self.effects:
            if line.startswith(effect["run"]):
                for path, value in effect.get("files", {}).items():
                    self.files.pop(path, None)
                    self.files.update({} if value is None else {path: value})
                self.runs.update(effect.get("runs", {}))
                for name, texts in effect.get("edit", {}).items():
                    self._edit(name, texts)

    def _edit(self, name, texts):
        for held in (self.files, self.runs):
            for key in [key for key in held if key.startswith(name)]:
                for old, new in texts.items():
                    held[key] = held[key].replace(old, new)

    def _follow(self, path):
        for _hop in range(8):
            value = self.files.get(path)
            if not (isinstance(value, dict) and "link" in value):
                return path
            path = os.path.normpath(os.path.join(os.path.dirname(path), value["link"]))
        raise AssertionError(f"a loop of links at {path}")

    def read(self, path):
        if path == f"/proc/{self.process}/stat":
            return f"{self.process} (python3) R" + " 0" * 18 + " 77" + " 0" * 30
        value = self.files.get(self._follow(path))
        if value is None and self.list(path) or isinstance(value, dict) and value.get("kind") == "directory":
            raise Problem(f"Cannot read '{path}': Is a directory.")
        return value.get("text", "") if isinstance(value, dict) else value

    def block(self, path, offset, size, seconds=None):
        if seconds is not None and self.files[self._follow(path)].get("dead"):
            raise Problem(
                f"Cannot read {size} bytes at {offset} of '{path}': no answer within {seconds:g} seconds."
            )
        disk = self.files[self._follow(path)]
        data = disk["bytes"] if "bytes" in disk else pv_bytes(disk.get("metadata", ""), uuid=disk["pv"])
        return data[offset : offset + size]

    def list(self, path):
        prefix = path.rstrip("/") + "/"
        return sorted(
            {
                name[len(prefix) :].split("/")[0]
                for name in self.files
                if name.startswith(prefix) and name != prefix
            }
        )

    def stat(self, path):
        path = self._follow(path)
        value = self.files.get(path)
        if value is None:
            return (
                SimpleNamespace(st_mode=modes.S_IFDIR | 0o755, st_size=0, st_mtime=0.0, st_dev=1, st_ino=path)
                if self.list(path)
                else None
            )
        value = value if isinstance(value, dict) else {"text": value}
        kind = {"block": modes.S_IFBLK, "directory": modes.S_IFDIR}.get(value.get("kind"), modes.S_IFREG)
        return SimpleNamespace(
            st_mode=kind | value.get("mode", 0o644),
            st_size=value.get("size", len(value.get("text", ""))),
            st_mtime=float(value.get("mtime", 0)),
            st_rdev=value.get("rdev", 0),
            st_dev=value.get("dev", 1),
            st_ctime=float(value.get("mtime", 0)),
            st_ino=value.get("inode", path),
        )

    def room(self, path):
        value = self.files.get(path)
        return value.get("room") if isinstance(value, dict) else None

    def real(self, path):
        return self._follow(path)

    def link(self, path):
        if path == "/proc/self":
            return str(self.process)
        value = self.files.get(path)
        return value.get("link") if isinstance(value, dict) else None

    def write(self, path, text, mode=None, directory=""):
        self.did.append(f"write {path}" + (f" {mode:04o}" if mode is not None else ""))
        self.files[path] = {"text": text, "mode": mode if mode is not None else 0o644}

    def aside(self, name):
        return f"/run/.lunworks.{name}.{self.process}.77"

    def tidy(self):
        for path in [path for path in self.files if "/.lunworks." in path]:
            if not path.endswith(f".{self.process}.77"):
                del self.files[path]

    def extend(self, path, size, full=False):
        self.did.append(f"extend {path} {size}" + (" full" if full else ""))
        self.files[path] = {"size": size, "mode": 0o600}

    def poke(self, path, text):
        self.did.append(f"poke {path} {text!r}")
        self.files[path] = text

    def mkdir(self, path, mode=0o755):
        self.did.append(f"mkdir {path}")
        self.files[path] = {"kind": "directory"}

    def rmdir(self, path):
        self.did.append(f"rmdir {path}")
        self.files.pop(path, None)
        if path.startswith("/sys/kernel/config/"):  # attributes go with their object
            for name in [name for name in self.files if name.startswith(f"{path}/")]:
                del self.files[name]

    def remove(self, path):
        self.did.append(f"remove {path}")
        self.files.pop(path, None)

    def symlink(self, target, path):
        self.did.append(f"symlink {target} {path}")
        self.files[path] = {"link": target}

    def hard_link(self, path, name):
        if name in self.files:
            return False
        self.files[path] = self.files[name] = {**self._entry(path), "inode": self.stat(path).st_ino}
        return True

    def _entry(self, path):
        value = self.files[path]
        return value if isinstance(value, dict) else {"text": value}

    @contextmanager
    def lock(self, path, seconds=0):
        assert path not in self.locked, f"'{path}' is locked twice"
        self.locked.append(path)
        try:
            yield
        finally:
            self.locked.remove(path)

    def dial(self, address, port, nic="", seconds=5):
        if f"{address}:{port}" not in self.portals:
            raise ConnectionRefusedError(111, "Connection refused")
        return LoginPortal(self.portals[f"{address}:{port}"])

    def unreachable(self, address, port, nic="", seconds=5):
        return self.silent.get(f"{address}:{port}", "")

    def echo(self, address, size, nic="", seconds=1):
        return size <= self.largest[address]

    def scsi(self, asked, seconds=10):
        return [self._answer(device, command) for device, command, _length in asked]

    def netlink(self, protocol, message, takes, group=0, seconds=15):
        answer = card_answer(self.cards, message, self.did)
        assert takes(answer)
        return answer

    def dialogue(self, path, message, seconds=15):
        raise NotScripted(f"a message to {path}")

    def _answer(self, device, command):
        lun = self.luns.get(device)
        if command[0] == 0xA0:  # REPORT LUNS
            offered = lun.get("luns") if isinstance(lun, dict) else None
            listed = b"".join(number.to_bytes(2, "big") + bytes(6) for number in offered or ())
            return b"" if offered is None else len(listed).to_bytes(4, "big") + bytes(4) + listed
        if lun is None or lun == "unmapped":
            return None if lun is None else b"\x7f" + bytes(95)
        naa, serial = bytes.fromhex(lun["wwid"][1:]), lun.get("serial", "").encode()
        pages = {
            0x83: bytes([0, 0x83, 0, 4 + len(naa), 1, 3, 0, len(naa)]) + naa,
            0x80: bytes([0, 0x80, 0, len(serial)]) + serial,
        }
        if command[0] == 0x9E:
            return (lun["size"] // 512 - 1).to_bytes(8, "big") + (512).to_bytes(4, "big") + bytes(20)
        if command[1] & 1:
            return pages[command[2]]
        return bytes(8) + b"LIO-ORG " + lun.get("product", "IBLOCK").ljust(16).encode() + bytes(64)

    def chmod(self, path, mode):
        self.did.append(f"chmod {path} {mode:04o}")

    def until(self, test, seconds, every=0.2):
        return test()

    def booted(self):
        return self._booted
