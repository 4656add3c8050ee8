# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel that lab hosts run: a current one from Debian's testing suite, this machine's own package, or a file.

User Mode Linux older than 6.13 hands ptrace(2) an FP state of fixed size, which a CPU with AMX answers with EFAULT: it
panics in its first user process (Linux commit 3f17fed21491 asks for the size instead).
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from typing import Sequence

from .._host import ENVIRONMENT, Host, Problem
from .._step import Step
from .controller import Controller, controller_of
from .mirror import Source, complaints, debian_source

CURRENT, DISTRIBUTION = "current", "distribution"
TESTED = (7, 2)  # the newest version that the whole suite of tests ran on
FROM_AMX = (6, 13)  # the oldest version that boots on a CPU with AMX
SUITE = "testing"
PACKAGES = ("user-mode-linux", "libc6")
OWN = "linux.uml"
OWN_MODULES = "/usr/lib/uml/modules"
KEPT = re.compile(r"(\d+(?:\.\d+)+)-")  # a directory of kernels/: VERSION-PACKAGE
PART = "part."
ROOM = 400 << 20  # bytes that fetching and unpacking take
OFFER = "Set 'kernel: current' to have a current one fetched."


@dataclass(frozen=True)
class Kernel:
    """A User Mode Linux kernel: its version, its program, and where its modules are (None: all is built in)."""

    version: str
    program: str
    modules: str | None = None

    @property
    def number(self) -> tuple[int, ...]:
        """The version as numbers, to compare."""
        return tuple(int(part) for part in re.findall(r"\d+", self.version)[:3])


@dataclass(frozen=True)
class Choice:
    """Which kernel hosts get: one that is here, or None when the current one has to be fetched; and what to say of it."""

    kernel: Kernel | None
    note: str = ""


@dataclass(frozen=True)
class FetchKernel(Step):
    """Take the current kernel from Debian's testing suite."""

    cache: str

    def __str__(self) -> str:
        return "Fetch the kernel of Debian's testing suite"

    def take(self, host: Host) -> None:
        provide_kernel(controller_of(host), CURRENT, self.cache)


def choose_kernel(controller: Host, wanted: str, cache: str) -> Choice:
    """The kernel for what a user asked for: 'current', 'distribution', or the path of a kernel. A Problem where none boots."""
    if wanted not in (CURRENT, DISTRIBUTION):
        return _checked(controller, _examined(controller, wanted, _modules_beside(controller, wanted)))
    fetched = look_fetched(controller, cache)
    if wanted == CURRENT:
        return _checked(controller, fetched) if fetched else Choice(None)
    own = look_own(controller)
    if own and not boot_blocked_by(controller, own):
        return _checked(controller, own)
    why = boot_blocked_by(controller, own) if own else "The package user-mode-linux is not installed here."
    if fetched:
        taken = _checked(controller, fetched)
        said = f"{why} Lab hosts run the current kernel, {fetched.version}, instead."
        return Choice(fetched, " ".join(part for part in (said, taken.note) if part))
    raise Problem(f"{why} {OFFER}")


def boot_blocked_by(controller: Host, kernel: Kernel) -> str:
    """Why a kernel does not boot on this machine's CPU; empty when nothing is known against it."""
    flags = re.search(r"(?m)^flags\s*:(.*)$", controller.read("/proc/cpuinfo") or "")
    if kernel.number < FROM_AMX and flags and "amx_tile" in flags[1].split():
        return (
            f"The kernel '{kernel.program}' is User Mode Linux {kernel.version}, which panics on a CPU with AMX, as this "
            "machine has; 6.13 and newer boot here."
        )
    return ""


def look_own(controller: Host) -> Kernel | None:
    """The kernel of this machine's own package user-mode-linux; None when it is not installed."""
    program = shutil.which(OWN, path=ENVIRONMENT["PATH"])
    return _examined(controller, program, OWN_MODULES) if program else None


def look_fetched(controller: Host, cache: str) -> Kernel | None:
    """The newest kernel that was fetched earlier and runs; None when there is none."""
    place = f"{cache}/kernels"
    names = [name for name in controller.list(place) if KEPT.match(name)]
    for name in sorted(names, key=lambda name: Kernel(name, "").number, reverse=True):
        try:
            return _examined(controller, f"{place}/{name}/{OWN}", f"{place}/{name}/modules")
        except Problem:  # damaged, or its directory was moved: it is fetched again
            continue
    return None


def provide_kernel(controller: Controller, wanted: str, cache: str) -> Kernel:
    """The kernel for what a user asked for, fetched when it has to be. A second caller waits for the first."""
    kernel = choose_kernel(controller, wanted, cache).kernel
    if kernel is None:
        controller.mkdir(cache, 0o700)
        with controller.alone(f"{cache}/kernels"):
            kernel = look_fetched(controller, cache) or _fetch(controller, f"{cache}/kernels")
    return kernel


def refuse_full(controller: Host, place: str, needed: int, what: str) -> None:
    """What is made must fit, seen before it is begun."""
    room = controller.room(place)
    if room is not None and room < needed:
        raise Problem(
            f"{what} takes {needed >> 20} MiB in '{place}'; {room >> 20} MiB are free there. Make room, or name another "
            "cache."
        )


def _checked(controller: Host, kernel: Kernel) -> Choice:
    why = boot_blocked_by(controller, kernel)
    if why:
        raise Problem(f"{why} {OFFER}")
    newer = kernel.number[:2] > TESTED
    tested = ".".join(str(part) for part in TESTED)
    return Choice(
        kernel,
        f"Lab hosts run Linux {kernel.version}; the newest that this collection was tested on is {tested}."
        if newer
        else "",
    )


def _examined(controller: Host, program: str, modules: str) -> Kernel:
    """A program that says of itself that it is a kernel, with the modules of its version."""
    try:
        ran = controller.run(program, "--version", ok=None, timeout=20)
        said = ran.out.strip()
    except Problem as problem:
        said = str(problem)
    if not re.fullmatch(r"\d+\.\d+\S*", said):
        raise Problem(
            f"'{program}' is not a User Mode Linux kernel: '{program} --version' must print a version like 7.2.7, and "
            f"said: {said[:200] or '(nothing)'}"
        )
    here = f"{modules}/{said}"
    return Kernel(said, program, here if controller.stat(here) else None)


def _modules_beside(controller: Host, program: str) -> str:
    """Modules of a kernel of one's own: in 'modules' beside it, else where the package has its own."""
    beside = f"{os.path.dirname(program)}/modules"
    return beside if controller.stat(beside) else OWN_MODULES


def _fetch(controller: Host, place: str) -> Kernel:
    """Download, check the signature, unpack, and let the program find the libc that came with it."""
    source = debian_source(controller)
    refuse_full(controller, place, ROOM, "Fetching the lab's kernel")
    killed = [f"{place}/{name}" for name in controller.list(place) if name.startswith(PART)]
    part = f"{place}/{PART}{os.getpid()}"
    try:
        controller.run("rm", "-rf", *killed, part)
        _download(controller, source, part)
        return _settle(controller, place, part)
    except Problem as problem:
        own = look_own(controller)
        other = (
            f" This machine's own kernel {own.version} boots here: 'kernel: distribution' takes it."
            if own and not boot_blocked_by(controller, own)
            else ""
        )
        raise Problem(
            f"Cannot fetch the lab's kernel from {source.mirror}: {problem}{other} Nothing of it was kept; the next run "
            "tries again."
        ) from problem
    finally:
        controller.run("rm", "-rf", part, ok=None)


def _download(controller: Host, source: Source, part: str) -> None:
    """The packages' files, by apt with lists of its own; this machine's packages and lists stay as they are."""
    for directory in ("state/lists/partial", "cache/archives/partial", "tree"):
        controller.mkdir(f"{part}/{directory}")
    controller.write(f"{part}/sources.list", f"{source.line(SUITE)}\n")
    controller.write(f"{part}/status", "")
    apt = ("env", f"--chdir={part}", *apt_get(part))
    for what in (("update",), ("download", *PACKAGES)):
        ran = controller.run(*apt, *what, ok=None, timeout=600)
        if ran.rc:
            raise Problem(f"apt-get {what[0]} ended with exit code {ran.rc}: {complaints(ran.err)}")
    for name in [name for name in controller.list(part) if name.endswith(".deb")]:
        controller.run("dpkg-deb", "--extract", f"{part}/{name}", f"{part}/tree", timeout=120)


def apt_get(part: str) -> Sequence[str]:
    """apt-get(8) with sources, lists and cache below a directory: signatures are a must, and a mirror has 20 seconds."""
    options = {
        "Dir::State": f"{part}/state",
        "Dir::State::status": f"{part}/status",
        "Dir::Cache": f"{part}/cache",
        "Dir::Etc::SourceList": f"{part}/sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::Etc::Preferences": "/dev/null",
        "Dir::Etc::PreferencesParts": "/dev/null",
        "APT::Sandbox::User": "root",
        "APT::Update::Error-Mode": "any",
        "APT::Get::AllowUnauthenticated": "false",
        "Acquire::AllowInsecureRepositories": "false",
        "Acquire::Languages": "none",
        "Acquire::Retries": "2",
        "Acquire::http::Timeout": "20",
        "Acquire::https::Timeout": "20",
    }
    return (
        "apt-get",
        "--quiet=2",
        *(word for key, value in options.items() for word in ("-o", f"{key}={value}")),
    )


def _settle(controller: Host, place: str, part: str) -> Kernel:
    """Into its own directory, named by version: the program, ld.so and libc.so beside it, and its modules."""
    tree, made = f"{part}/tree", f"{part}/made"
    libraries = f"{tree}/usr/lib/x86_64-linux-gnu"
    modules = controller.list(f"{tree}/usr/lib/uml/modules")
    package = re.findall(r"user-mode-linux_([^_]+)_", " ".join(controller.list(part)))
    if len(modules) != 1 or len(package) != 1 or controller.stat(f"{libraries}/libc.so.6") is None:
        raise Problem(
            "The packages user-mode-linux and libc6 do not contain what they used to: linux.uml, one version of "
            f"modules and libc.so.6; found are modules of: {', '.join(modules) or 'none'}."
        )
    controller.mkdir(f"{made}/modules")
    loader = "ld-linux-x86-64.so.2"
    controller.run("mv", f"{tree}/usr/bin/{OWN}", f"{libraries}/{loader}", f"{libraries}/libc.so.6", made)
    controller.run("mv", f"{tree}/usr/lib/uml/modules/{modules[0]}", f"{made}/modules/{modules[0]}")
    home = f"{place}/{modules[0]}-{package[0]}"
    controller.run(
        *("patchelf", "--set-interpreter", f"{home}/{loader}", "--set-rpath", home, f"{made}/{OWN}"),
        timeout=120,
    )
    controller.run("rm", "-rf", home)
    os.rename(made, home)
    try:
        return _examined(controller, f"{home}/{OWN}", f"{home}/modules")
    except Problem:
        controller.run("rm", "-rf", home)
        raise
