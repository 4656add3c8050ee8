# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests on real kernels: run a module on a lab host as Ansible would, and prove that it converges."""

from __future__ import annotations

import functools
import hashlib
import io
import itertools
import json
import os
import shlex
import subprocess
import sys
import tarfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ansible.module_utils
import ansible.release

from ansible_collections.lunworks.iscsi.plugins.module_utils._uml import host as uml_host
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml import image as uml_image
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml import lab as uml_lab
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml import link as uml_link
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml.controller import Controller, lab_of
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml.host import lab_host
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml.kernel import CURRENT
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml.lab import Wanted
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml.network import network_of

HERE = Path(__file__).resolve().parent
PLUGINS = HERE.parent.parent / "plugins"
PATHS = os.pathsep.join(path for path in sys.path if path)
AWAY = "/var/lib/lab-harness"  # on the hosts
NETWORKS = (
    network_of("management", "10.77.0.0/24"),
    network_of("san1", "10.77.1.0/24", "fd77:1::/64"),
    network_of("san2", "10.77.2.0/24", "fd77:2::/64"),
)
ON = ("management", "san1", "san2")
SUITES = ("bookworm", "trixie", "forky")
KINDS = {"store": ([4 << 30], "storage"), "db": ([], "compute"), "spare": ([], "compute")}
KERNEL = os.environ.get("LUNWORKS_LAB_KERNEL", CURRENT)
HOSTS = {
    f"{kind}-{suite}": lab_host(
        name=f"{kind}-{suite}",
        number=number,
        suite=suite,
        kernel=KERNEL,
        disks=disks,
        networks=ON,
        groups=[group],
    )
    for number, ((kind, (disks, group)), suite) in enumerate(itertools.product(KINDS.items(), SUITES), 1)
}
RUNNER = """\
import runpy, sys
from ansible.module_utils import basic
basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE = INPUT, "legacy"
sys.argv = ["MODULE"]
runpy.run_module("ansible_collections.lunworks.iscsi.plugins.modules.MODULE", run_name="__main__")
"""
MODULES = "ansible_collections.lunworks.iscsi.plugins.modules."
RESIDENTS: dict[tuple[Any, str, int, str], subprocess.Popen[bytes]] = {}  # Pythons on hosts: see resident.py
SHIPPED: set[tuple[Any, str, str]] = set()


@dataclass(frozen=True)
class Ran:
    """A command that ended on a lab host."""

    rc: int
    out: str
    err: str


class Host:
    """A booted host of the lab."""

    def __init__(self, lab: Lab, name: str) -> None:
        self.lab, self.name = lab, name
        self._made = lab.made(name)
        self.suite = self._made.suite

    def __repr__(self) -> str:
        return f"<Host {self.name}>"

    def address(self, network: str, version: int = 4) -> str:
        """The host's address in a network of the lab, IPv4 or IPv6 (version=6)."""
        return self.lab.networks[network].address(self._made.number, version)

    def run(self, command: str, check: bool = True, timeout: float = 60, stdin: str | bytes = "") -> Ran:
        """Run a shell command as root; with 'check' an exit code other than 0 is an error."""
        given = stdin.encode() if isinstance(stdin, str) else stdin
        argv = ["ssh", "-F", self.lab.ssh_config, self.name, command]
        ran = subprocess.run(argv, input=given, capture_output=True, timeout=timeout, check=False)
        done = Ran(ran.returncode, ran.stdout.decode(errors="replace"), ran.stderr.decode(errors="replace"))
        if check and done.rc:
            raise AssertionError(f"{self.name}: '{command}' ended with {done.rc}:\n{done.out}{done.err}")
        return done

    def last_words(self) -> str:
        """What its kernel said last, with the tasks that hang now (SysRq w); its console, where it does not answer."""
        ask = "echo w >/proc/sysrq-trigger; uptime; journalctl -q -k -b -n 80 --no-pager -o short-monotonic"
        try:
            return self.run(ask, check=False, timeout=30).out
        except subprocess.TimeoutExpired:
            console = Path(self.lab.place.host_directory(self.name)) / "console.log"
            return "It does not answer. Its console:\n" + console.read_text(errors="replace")[-4000:]

    def read(self, path: str) -> str:
        """The text of a file, which must be there."""
        return self.run(f"cat {shlex.quote(path)}").out

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file; its directory is made when it is not there."""
        quoted = shlex.quote(path)
        self.run(f"install -D -m {mode:o} /dev/stdin {quoted}", stdin=text)

    def module(
        self, module: str, /, check: bool = False, diff: bool = True, **options: Any
    ) -> dict[str, Any]:
        """The result of a module of this collection, run by this host's own Python; dying with a traceback is an error."""
        given = arguments(module, check, diff, options).decode()
        ran = self.python(RUNNER.replace("MODULE", module), given, timeout=600, imports=(MODULES + module,))
        return result_of(f"{self.name}: '{module}'", ran)

    def fingerprint(self) -> dict[str, str]:
        """The whole state of the host that the collection can change, section by section, as text to compare."""
        ran = self.python((HERE / "fingerprint.py").read_text(), timeout=180)
        if ran.rc:
            raise AssertionError(f"{self.name}: no fingerprint: {ran.err}")
        return dict(json.loads(ran.out))

    def python(self, source: str, given: str = "", timeout: float = 60, imports: tuple[str, ...] = ()) -> Ran:
        """Run Python in a process of its own, with the collection at hand; INPUT is what was given, as bytes."""
        ours = self._shipped(plugins_tar())
        key = (self.lab.place, self.name, threading.get_ident(), ours)
        if key not in RESIDENTS or RESIDENTS[key].poll() is not None:
            RESIDENTS[key] = self._resident(ours)
        asked = json.dumps({"imports": imports, "source": source, "input": given}).encode()
        resident = RESIDENTS[key]
        timer = threading.Timer(timeout, resident.kill)
        timer.start()
        told = said(resident, asked)
        timer.cancel()
        if not told:
            forget(self.lab, self)
            raise AssertionError(f"{self.name}: no answer within {timeout:g} seconds, or the host is gone")
        return Ran(**json.loads(told))

    def _resident(self, ours: str) -> subprocess.Popen[bytes]:
        core = self._shipped(core_tar())
        command = f"exec python3 {AWAY}/{core}/resident.py {AWAY}/{core} {AWAY}/{ours}"
        argv = ["ssh", "-F", self.lab.ssh_config, self.name, command]
        return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def _shipped(self, archive: tuple[str, bytes]) -> str:
        """The name of an archive, which is unpacked on the host."""
        name, packed = archive
        if (self.lab.place, self.name, name) not in SHIPPED:
            place = f"{AWAY}/{name}"  # synced, since its power may be cut
            unpack = f"mkdir -p {place} && tar -xz -C {place} && sync -f {place} && touch {place}/whole"
            if self.run(f"test -e {AWAY}/{name}/whole", check=False).rc:
                self.run(unpack, stdin=packed)
            SHIPPED.add((self.lab.place, self.name, name))
        return name


def say(text: str) -> None:
    """Progress of a lab that comes up, past pytest's own capture."""
    print(f"lab: {text}", file=sys.__stderr__, flush=True)


def said(resident: subprocess.Popen[bytes], asked: bytes) -> bytes:
    """The answer of a resident Python to a question; empty when it is gone."""
    assert resident.stdin and resident.stdout
    try:
        resident.stdin.write(asked + b"\n")
        resident.stdin.flush()
    except BrokenPipeError:
        return b""
    return resident.stdout.readline()


def forget(lab: Lab, *hosts: Host) -> None:
    """What was known of hosts that are no longer as they were."""
    gone = {(lab.place, host.name) for host in hosts}
    for key in [key for key in RESIDENTS if key[:2] in gone]:
        RESIDENTS.pop(key).kill()
    SHIPPED.difference_update([known for known in SHIPPED if known[:2] in gone])


class Lab:
    """The lab of this test run and its verbs."""

    def __init__(self, name: str) -> None:
        self.controller = Controller()
        self.place = lab_of(name)
        self.networks = {one.name: one for one in NETWORKS}

    @property
    def ssh_config(self) -> str:
        return self.place.ssh_config

    @property
    def inventory(self) -> str:
        return self.place.inventory

    def made(self, name: str) -> uml_host.LabHost:
        """What the host is made of."""
        return HOSTS[name]

    def host(self, name: str) -> Host:
        """A host of the lab by name."""
        return Host(self, name)

    def up(self, names: list[str], owner: int | None) -> None:
        wanted = Wanted(NETWORKS, [HOSTS[name] for name in names])
        uml_lab.up(self.controller, self.place, wanted, uml_image.cache_directory(), owner, say)

    def down(self) -> None:
        uml_lab.down(self.controller, self.place)

    def power_cut(self, *hosts: Host) -> None:
        """The power of these hosts fails, now."""
        forget(self, *hosts)
        for host in hosts:
            uml_host.cut_power(self.controller, self.place, host.name)

    def reboot(self, *hosts: Host) -> None:
        """Shut down in order, side by side, and boot."""
        forget(self, *hosts)
        uml_lab.reboot(self.controller, self.place, [host.name for host in hosts])

    def boot(self, *hosts: Host) -> None:
        """Power on, side by side, and wait until they have booted."""
        uml_lab.boot(self.controller, self.place, [host.name for host in hosts])

    def fresh(self, *hosts: Host) -> None:
        """These hosts as they were made: power cut, disks emptied, booted."""
        forget(self, *hosts)
        uml_lab.fresh(self.controller, self.place, [host.name for host in hosts])

    def link(self, host: Host, network: str, up: bool) -> None:
        """Pull the host's cable to a network (up=False) or plug it in again."""
        uml_link.set_up(self.controller, self.place, self.cable(host, network), up)

    def delay(self, host: Host, network: str, milliseconds: int = 0, loss: float = 0) -> None:
        """Make packets from the host on a network late, or lose some (percent), until its next boot; zeros heal it."""
        uml_link.set_delay(self.controller, self.place, self.cable(host, network), milliseconds, loss)

    def cable(self, host: Host, network: str) -> uml_link.Cable:
        """The cable between a host and a network."""
        return uml_host.cable_between(self.controller, self.place, host.name, network)

    def run(self, *argv: str) -> str:
        """Run a command on the controller inside the lab's network namespace; its output."""
        return self.controller.run(*self.place.inside(*argv)).out


def locally(module: str, /, check: bool = False, diff: bool = True, **options: Any) -> dict[str, Any]:
    """The result of a module of this collection, run on this machine."""
    argv = [
        sys.executable,
        "-c",
        "import sys; INPUT = sys.stdin.buffer.read()\n" + RUNNER.replace("MODULE", module),
    ]
    stdin = arguments(module, check, diff, options)
    ran = subprocess.run(
        argv,
        check=False,
        input=stdin,
        capture_output=True,
        timeout=600,
        env={**os.environ, "PYTHONPATH": PATHS},
    )
    return result_of(f"'{module}'", Ran(ran.returncode, ran.stdout.decode(), ran.stderr.decode()))


def arguments(module: str, check: bool, diff: bool, options: dict[str, Any]) -> bytes:
    """What Ansible gives a module to read."""
    given = {
        "_ansible_check_mode": check,
        "_ansible_diff": diff,
        "_ansible_verbosity": 2,
        "_ansible_module_name": module,
        "_ansible_version": ansible.release.__version__,
        "_ansible_remote_tmp": "/tmp",
        **options,
    }
    return json.dumps({"ANSIBLE_MODULE_ARGS": given}).encode()


def result_of(what: str, ran: Ran) -> dict[str, Any]:
    """What the module answered; a traceback is no answer."""
    lines = [line for line in ran.out.splitlines() if line.startswith("{")]
    if not lines or "Traceback" in ran.err:
        raise AssertionError(f"{what} died ({ran.rc}):\n{ran.out}\n{ran.err}")
    return dict(json.loads(lines[-1]))


def converges(host: Host, module: str, options: dict[str, Any], predicts: bool = True) -> dict[str, Any]:
    """Check, run, check again, run again: changed twice, then nothing to do, and only the run wrote. The result of the run."""
    before = host.fingerprint()
    checked = succeeded(host, host.module(module, check=True, **options))
    assert checked["changed"], f"The check of '{module}' announces no change: {checked}"
    same(before, host.fingerprint(), f"The check of '{module}'")
    ran = succeeded(host, host.module(module, **options))
    assert ran["changed"], f"'{module}' reports no change where its check announced one: {ran}"
    if predicts:
        assert ran["steps"] == checked["steps"], f"'{module}' did other things than its check said."
    after = host.fingerprint()
    for check in (True, False):
        again = succeeded(host, host.module(module, check=check, **options))
        assert not again["changed"], (
            f"'{module}' (check={check}) finds something to do the second time: {again['steps']}"
        )
    same(after, host.fingerprint(), f"The second run of '{module}'")
    return ran


def refused(host: Host, module: str, message_part: str, /, **options: Any) -> dict[str, Any]:
    """The module refuses, in check mode and without, with a message that contains the part; nothing changed."""
    before = host.fingerprint()
    for check in (True, False):
        result = host.module(module, check=check, **options)
        assert result.get("failed"), f"'{module}' (check={check}) did not refuse: {result}"
        assert message_part in result["msg"], f"'{module}' (check={check}) says: {result['msg']}"
        assert "Traceback" not in json.dumps(result), f"'{module}' (check={check}): {result}"
        assert not result.get("changed"), (
            f"'{module}' (check={check}) refused, and changed something: {result}"
        )
    same(before, host.fingerprint(), f"The refusal of '{module}'")
    return result


def succeeded(host: Host, result: dict[str, Any]) -> dict[str, Any]:
    assert not result.get("failed"), f"{host.name}: {result.get('msg')}\n{json.dumps(result, indent=1)}"
    return result


def settled(host: Host, condition: str, seconds: float = 90) -> None:
    """Wait until a condition (a shell command) holds on the host."""
    end = time.monotonic() + seconds
    while host.run(condition, check=False).rc != 0:
        assert time.monotonic() < end, f"{host.name}: after {seconds} seconds still not: {condition}"
        time.sleep(0.5)


def same(before: dict[str, str], after: dict[str, str], who: str) -> None:
    """Two fingerprints are equal, or the lines that differ are shown."""
    for section, text in before.items():
        old, new = text.splitlines(), after[section].splitlines()
        gone = [f"- {line}" for line in old if line not in new]
        come = [f"+ {line}" for line in new if line not in old]
        assert text == after[section], f"{who} changed '{section}':\n" + "\n".join(gone + come)


@functools.lru_cache(maxsize=1)
def core_tar() -> tuple[str, bytes]:
    """ansible-core's module_utils, as the hosts get them: a name for this version of it, and the archive."""
    root = Path(ansible.module_utils.__file__).parent
    files = {
        f"ansible/module_utils/{path.relative_to(root)}": path.read_bytes() for path in root.rglob("*.py")
    }
    files["ansible/__init__.py"] = f"__version__ = {ansible.release.__version__!r}\n".encode()
    files["resident.py"] = (HERE / "resident.py").read_bytes()
    packed = tar(files)
    return f"core-{hashlib.sha256(packed).hexdigest()[:16]}", packed


def plugins_tar() -> tuple[str, bytes]:
    """This collection's modules and module_utils as they are on disk now."""
    paths = [*PLUGINS.glob("modules/*.py"), *(PLUGINS / "module_utils").rglob("*.py")]
    return _plugins_tar(tuple((path, path.stat().st_mtime_ns) for path in sorted(paths)))


@functools.lru_cache(maxsize=2)
def _plugins_tar(paths: tuple[tuple[Path, int], ...]) -> tuple[str, bytes]:
    top = "ansible_collections/lunworks/iscsi/plugins"
    files = {f"{top}/{path.relative_to(PLUGINS)}": path.read_bytes() for path, _name in paths}
    digest = hashlib.sha256()
    for name, data in files.items():
        digest.update(f"{name} {len(data)} ".encode() + data)
    return digest.hexdigest()[:16], tar(files)


def tar(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=3) as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return packed.getvalue()
