# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a lab of User Mode Linux hosts lives on its controller, and what only a lab needs of that machine.

Each lab has a network namespace of its own, so several labs with the same addresses run side by side, and a process
belongs to a lab when it is in that namespace: nothing is ever ended by its name.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass
from typing import Any, Callable, Iterator

from .._host import ENVIRONMENT, Host, Problem, Ran
from .._host_lock import started_of

STATE = "/var/tmp/lunworks-lab"
NETNS = "/run/netns"
NAME = re.compile(r"[a-z][a-z0-9-]{0,19}")
LONGEST = 60  # of a lab's directory: ssh's sockets in it must stay within the 107 characters of unix(7)
PROGRAMS = {
    "mmdebstrap": "mmdebstrap",
    "apt-get": "apt",
    "patchelf": "patchelf",
    "ip": "iproute2",
    "tc": "iproute2",
    "ssh": "openssh-client",
    "nsenter": "util-linux",
    "mkfs.ext4": "e2fsprogs",
}
OPTIONS: dict[str, Any] = {
    "lab": {"type": "str", "default": "lab"},
    "directory": {"type": "path", "default": STATE},
}


@dataclass(frozen=True)
class Lab:
    """A lab's name and the places that follow from it."""

    name: str
    root: str = STATE

    @property
    def directory(self) -> str:
        """All files of this lab."""
        return f"{self.root}/{self.name}"

    @property
    def namespace(self) -> str:
        """The lab's network namespace, as ip-netns(8) knows it."""
        return f"lab-{self.name}"

    @property
    def ssh_config(self) -> str:
        """ssh -F this file reaches every host of the lab by its name."""
        return f"{self.directory}/ssh_config"

    @property
    def inventory(self) -> str:
        """A directory that Ansible reads as an inventory."""
        return f"{self.directory}/inventory"

    def host_directory(self, host: str) -> str:
        """The disks, console log and process record of one host."""
        return f"{self.directory}/hosts/{host}"

    def inside(self, *argv: str) -> tuple[str, ...]:
        """The command line that runs a command in the lab's network namespace."""
        return ("nsenter", f"--net={NETNS}/{self.namespace}", *argv)


@dataclass(frozen=True)
class Process:
    """A process of a lab: its id, its session, and whether it only waits to be reaped."""

    pid: int
    session: int
    zombie: bool


def lab_of(name: str, root: str = STATE) -> Lab:
    """The lab of that name; the name is checked."""
    lab = Lab(named("lab", name), os.path.abspath(root))
    if len(lab.directory) > LONGEST:
        raise Problem(
            f"The path '{lab.directory}' is too long for the sockets in it; {LONGEST} characters are possible."
        )
    return lab


def named(what: str, name: str, longest: int = 20) -> str:
    """A name that is also a file name, a host name and a part of a device name."""
    if not NAME.fullmatch(name) or len(name) > longest:
        raise Problem(
            f"'{name}' is not a name for a {what}: it must have at most {longest} lower-case letters, digits and '-', "
            "with a letter first."
        )
    return name


def refuse_unfit(removing: bool = False) -> None:
    """A lab needs root and some programs; say what is missing before anything is begun. Removing needs root alone."""
    if os.geteuid():
        raise Problem(
            "A lab makes network namespaces and boots hosts, which only root may do. Run this as root."
        )
    missing = {
        package
        for program, package in PROGRAMS.items()
        if not shutil.which(program, path=ENVIRONMENT["PATH"])
    }
    if missing and not removing:
        raise Problem(f"A lab needs programs that are missing here. Install: {' '.join(sorted(missing))}.")


class Controller(Host):
    """The machine that runs the lab: a Host, and what a lab needs beyond that."""

    def run_while(self, alive: Callable[[], bool], *argv: str, timeout: float) -> Ran | None:
        """Run a command that makes no sense without something else; None when that was gone first, or the time over."""
        process = subprocess.Popen(  # pylint: disable=ansible-bad-function # run_command cannot be given up
            argv, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        try:
            ended = self.until(lambda: process.poll() is not None or not alive(), timeout, 0.2)
            if not ended or process.poll() is None:
                return None
            out = process.stdout.read() if process.stdout else b""
            return Ran(process.returncode, out.decode(errors="replace"), "")
        finally:
            process.kill()
            process.wait()

    def start(self, log: str, *argv: str) -> int:
        """Start a process that stays, in a session of its own, its output in a file; its id (and its session's)."""
        with open(log, "ab") as output:
            process = subprocess.Popen(  # pylint: disable=ansible-bad-function # it stays when this module has ended
                argv,
                env=ENVIRONMENT,
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        return process.pid

    def processes(self, lab: Lab) -> list[Process]:
        """Every process in the lab's network namespace."""
        space = self.stat(f"{NETNS}/{lab.namespace}")
        found = []
        for pid in [name for name in self.list("/proc") if name.isdigit()] if space else []:
            try:
                mine = os.stat(f"/proc/{pid}/ns/net")
                with open(f"/proc/{pid}/stat") as file:
                    words = file.read().rpartition(")")[2].split()
            except OSError:  # it ended meanwhile
                continue
            if space and (mine.st_dev, mine.st_ino) == (space.st_dev, space.st_ino):
                found.append(Process(int(pid), int(words[3]), words[0] == "Z"))
        return found

    def kill(self, lab: Lab, session: int | None = None) -> None:
        """End at once every process of the lab, or of one session of it, and see them gone."""

        def left() -> list[int]:
            mine = self.processes(lab)
            return [one.pid for one in mine if not one.zombie and session in (None, one.session)]

        def gone() -> bool:
            for pid in left():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return not left()

        if not self.until(gone, 20, 0.05):
            raise Problem(f"Processes of the lab '{lab.name}' do not end: {left()}.")

    @contextlib.contextmanager
    def alone(self, directory: str, busy: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Hold a directory for this process alone; it is made when it is not there. 'busy' is called before a wait."""
        os.makedirs(directory, exist_ok=True)
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                busy()
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def born(self, pid: int) -> str | None:
        """When a process started, in clock ticks of this boot; None when it is gone. With the id it names one process."""
        ticks = started_of(self.read(f"/proc/{pid}/stat") or "")
        boot = (self.read("/proc/sys/kernel/random/boot_id") or "").strip()
        return None if ticks is None else f"{boot} {ticks}"


def controller_of(host: Host) -> Controller:
    """The host that a step of the lab is taken on: always the controller."""
    if not isinstance(host, Controller):
        raise TypeError(f"{host!r} is not a controller")
    return host
