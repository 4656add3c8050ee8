# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One host of a lab: a User Mode Linux kernel on a copy-on-write image, its disks, its power switch."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from typing import Any, Sequence

from .._host import Host, Problem
from .console import console, obituary
from .controller import Lab, controller_of, named
from .image import SUITES, private_key
from .kernel import CURRENT, OWN
from .link import Cable, look_taps, make_tap, remove_tap
from .network import LAST, MTU, Network
from .ssh import ssh, ssh_stanza, write_ssh

PATIENCE = 240  # seconds until a host has booted; alone on a machine it takes about 15
LEAST_MEMORY = 128  # MiB; Debian does not come up in less


@dataclass(frozen=True)
class LabHost:
    """What a host is made of. Memory in MiB, disks in bytes; its number makes its addresses."""

    name: str
    number: int
    suite: str = "bookworm"
    kernel: str = CURRENT
    memory: int = 384
    disks: Sequence[int] = ()
    networks: Sequence[str] = ()
    groups: Sequence[str] = ()


@dataclass(frozen=True)
class Seen:
    """A host that exists: its image and kernel (the program), whether its power is on and whether it has booted."""

    host: LabHost
    image: str = ""
    kernel: str = OWN
    powered_on: bool = False
    ready: bool = False


def lab_host(**given: Any) -> LabHost:
    """A host, checked."""
    host = LabHost(
        **{**given, **{key: tuple(given.get(key) or ()) for key in ("disks", "networks", "groups")}}
    )
    named("host", host.name)
    wrong = ""
    if not 1 <= host.number <= LAST:
        wrong = f"its number {host.number} is not between 1 and {LAST}"
    elif host.suite not in SUITES:
        wrong = f"its suite '{host.suite}' is not one of {', '.join(SUITES)}"
    elif host.memory < LEAST_MEMORY:
        wrong = f"{host.memory} MiB is not enough memory; give {LEAST_MEMORY} or more"
    elif not host.networks:
        wrong = "it is on no network, so nothing could reach it"
    elif any(size < 1 << 20 or size % 512 for size in host.disks):
        wrong = "a disk has 1 MiB or more, in whole sectors of 512 bytes"
    if wrong:
        raise Problem(f"The host '{host.name}': {wrong}.")
    return host


def look_hosts(controller: Host, lab: Lab) -> dict[str, Seen]:
    """The hosts of a lab by name."""
    alive = {one.session for one in controller_of(controller).processes(lab) if not one.zombie}
    found = {}
    for name in controller.list(f"{lab.directory}/hosts"):
        record = controller.read(f"{lab.host_directory(name)}/host.json")
        if record:
            told = json.loads(record)
            on = _session(controller, lab, name) in alive
            found[name] = Seen(lab_host(**told["host"]), told["image"], told.get("kernel", OWN), on)
    return found


def host_named(controller: Host, lab: Lab, name: str) -> LabHost:
    """A host that must be there."""
    hosts = look_hosts(controller, lab)
    if name not in hosts:
        raise Problem(f"The lab '{lab.name}' has no host '{name}'; it has: {', '.join(hosts) or 'none'}.")
    return hosts[name].host


def cables(host: LabHost) -> list[Cable]:
    """A host's cables, in the order of its network cards."""
    return [
        Cable(host.name, host.number, network, position) for position, network in enumerate(host.networks)
    ]


def cable_between(controller: Host, lab: Lab, name: str, network: str) -> Cable:
    """The cable between a host and a network; both must be there."""
    host = host_named(controller, lab, name)
    if network not in host.networks:
        raise Problem(
            f"The host '{name}' is not on a network '{network}'; it is on: {', '.join(host.networks)}."
        )
    return cables(host)[host.networks.index(network)]


def hosts_on(controller: Host, lab: Lab, network: str | None) -> list[str]:
    """The hosts of a lab that are on a network; on any, when it is None."""
    return [
        name for name, seen in look_hosts(controller, lab).items() if network in (None, *seen.host.networks)
    ]


def users_of_image(controller: Host, root: str, image: str | None) -> list[str]:
    """The hosts, of all labs below a directory, whose root disks stand on an image."""
    labs = [Lab(name, root) for name in controller.list(root)]
    return [
        f"'{name}' of the lab '{lab.name}'"
        for lab in labs
        for name, seen in look_hosts(controller, lab).items()
        if image and seen.image == image
    ]


def make_host(
    controller: Host, lab: Lab, host: LabHost, image: str, kernel: str, networks: dict[str, Network]
) -> None:
    """The host's disks and addresses; its power stays off. Its record comes last: without it there is no host."""
    unknown = [name for name in host.networks if name not in networks]
    if unknown:
        raise Problem(
            f"The host '{host.name}' is on the network '{unknown[0]}', which the lab '{lab.name}' does not have."
        )
    others = [one.host.name for one in look_hosts(controller, lab).values() if one.host.number == host.number]
    if others:
        raise Problem(f"The host '{host.name}' has the number {host.number}, which is that of '{others[0]}'.")
    here = lab.host_directory(host.name)
    controller.mkdir(here)
    make_disks(controller, lab, host)
    write_ssh(controller, lab, private_key(os.path.dirname(image)))
    controller.write(
        f"{here}/ssh_config", ssh_stanza(host.name, networks[host.networks[0]].address(host.number))
    )
    told = json.dumps(inventory(lab, host, networks), indent=2)
    controller.write(f"{lab.inventory}/{host.name}.json", f"{told}\n")
    record = json.dumps({"host": asdict(host), "image": image, "kernel": kernel}, indent=2)
    controller.write(f"{here}/host.json", f"{record}\n")


def make_disks(controller: Host, lab: Lab, host: LabHost) -> None:
    """Empty disks, and no trace of an earlier boot on the root disk."""
    here = lab.host_directory(host.name)
    controller.run("rm", "-f", f"{here}/root.cow")
    for position, size in enumerate(host.disks, 1):
        controller.run("rm", "-f", f"{here}/disk{position}.img")
        controller.run("truncate", f"--size={size}", f"{here}/disk{position}.img")


def remove_host(controller: Host, lab: Lab, seen: Seen) -> None:
    """Power off and away with all of it."""
    cut_power(controller, lab, seen.host.name)
    for network in look_taps(controller, lab, seen.host.number):
        remove_tap(controller, lab, network, seen.host.number)
    controller.run("rm", "-rf", lab.host_directory(seen.host.name), f"{lab.inventory}/{seen.host.name}.json")


def power_on(controller: Host, lab: Lab, seen: Seen, networks: dict[str, Network]) -> None:
    """Plug in the cables that are not there, and start the kernel; 'wait_for_host' sees it through."""
    here = lab.host_directory(seen.host.name)
    for what, path in (("image", seen.image), ("kernel", seen.kernel)):
        if "/" in path and controller.stat(path) is None:
            raise Problem(
                f"The {what} '{path}' of the host '{seen.host.name}' is gone. Remove the host, make it again."
            )
    there = look_taps(controller, lab, seen.host.number)
    for cable in [one for one in cables(seen.host) if one.network not in there]:
        make_tap(controller, lab, cable, networks[cable.network].mtu)
    controller.mkdir(f"{here}/uml")
    if controller.stat(f"{here}/console.log") is not None:  # this boot's console is what this boot said
        os.rename(f"{here}/console.log", f"{here}/console.before.log")
    command = lab.inside(seen.kernel, *kernel_arguments(lab, seen, networks))
    session = controller_of(controller).start(f"{here}/console.log", *command)
    controller.write(f"{here}/session", f"{session}\n")
    # The process enters the lab's namespace by itself; until then the host does not count as on.
    controller.until(lambda: look_hosts(controller, lab)[seen.host.name].powered_on, 10, 0.05)


def cut_power(controller: Host, lab: Lab, name: str) -> None:
    """The power is gone: every process of the kernel dies at once, the disks keep what was written to them."""
    session = _session(controller, lab, name)
    if session is not None:
        controller_of(controller).kill(lab, session)
        controller.remove(f"{lab.host_directory(name)}/session")
    hang_up(controller, lab, name)


def power_off(controller: Host, lab: Lab, name: str, patience: float = PATIENCE) -> None:
    """Shut down in order, and see the power go off."""
    controller.run(*ssh(lab, name), "systemctl poweroff", ok=None)
    if not controller.until(lambda: not look_hosts(controller, lab)[name].powered_on, patience):
        raise Problem(
            f"The host '{name}' did not shut down within {patience:g} seconds.{console(controller, lab, name)}"
        )
    cut_power(controller, lab, name)


def hang_up(controller: Host, lab: Lab, name: str) -> None:
    """End the connection that ssh keeps for later: it would wait for a host that is no more."""
    controller.run("ssh", "-F", lab.ssh_config, "-O", "exit", name, ok=None)


def runs(controller: Host, lab: Lab, name: str) -> bool:
    """Whether the kernel that was started last still runs."""
    session = _session(controller, lab, name)
    return session is not None and controller_of(controller).born(session) is not None


def has_booted(controller: Host, lab: Lab, name: str, patience: float = 0) -> bool:
    """Whether ssh answers and systemd has nothing left to start; with patience (seconds) both may take that long."""
    wait = " --wait" if patience else ""
    ran = controller_of(controller).run_while(
        lambda: runs(controller, lab, name),
        *(*ssh(lab, name), f"systemctl is-system-running{wait}"),
        timeout=patience or 15,
    )
    return ran is not None and ran.out.strip() in ("running", "degraded")


def wait_for_host(controller: Host, lab: Lab, name: str, patience: float = PATIENCE) -> None:
    """Until the host has booted; at once a Problem where its kernel ends, and in the end where it does not answer."""

    def booted_or_dead() -> bool:
        return has_booted(controller, lab, name, patience) or not runs(controller, lab, name)

    answered = controller.until(booted_or_dead, patience, 0.5)
    if not runs(controller, lab, name):
        raise Problem(obituary(controller, lab, name, look_hosts(controller, lab)[name].kernel))
    if not answered:
        raise Problem(
            f"The host '{name}' of the lab '{lab.name}' was powered on, but did not answer over ssh with all its units "
            f"started within {patience:g} seconds.{console(controller, lab, name)}"
        )


def kernel_arguments(lab: Lab, seen: Seen, networks: dict[str, Network]) -> list[str]:
    """The kernel's command line (its own part: linux.uml --help; 'lab.' is read by the image's lab-identity)."""
    host, here = seen.host, lab.host_directory(seen.host.name)
    words = [f"mem={host.memory}M", f"umid={host.name}", f"uml_dir={here}/uml"]
    words += [f"ubd0={here}/root.cow,{seen.image}", "root=/dev/ubda", "rw", "net.ifnames=0", "panic=-1"]
    # Else ptrace(2), which costs a fifth more CPU; kernels before 6.16 have nothing else, and ignore the word.
    words.append("seccomp=auto")
    words += [f"ubd{position}={here}/disk{position}.img" for position in range(1, len(host.disks) + 1)]
    for cable in cables(host):
        address = mac(host.number, cable.position)
        words.append(f"{cable.card}:transport=tap,ifname={cable.tap},depth=128,gro=1,mac={address}")
        words += [f"lab.single={cable.card}"] if networks[cable.network].mtu != MTU else []
        words += [
            f"lab.address={cable.card},{one}" for one in networks[cable.network].interfaces(host.number)
        ]
    words += ["con0=null,fd:1", "con=null", "ssl=null", "loglevel=5", f"systemd.hostname={host.name}"]
    return [*words, f"systemd.machine_id={machine_id(lab, host.name)}"]


def mac(number: int, position: int) -> str:
    """A locally administered address for a host's network card: the same one at every boot."""
    return f"02:4c:57:00:{number:02x}:{position:02x}"


def machine_id(lab: Lab, name: str) -> str:
    """A machine id (machine-id(5)) that stays with the host's name."""
    return hashlib.sha256(f"{lab.name}/{name}".encode()).hexdigest()[:32]


def inventory(lab: Lab, host: LabHost, networks: dict[str, Network]) -> dict[str, Any]:
    """The host as Ansible's inventory has it."""
    on = [networks[name] for name in host.networks]
    told = {
        "ansible_host": host.name,
        "ansible_user": "root",
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_pipelining": True,  # one connection for each task, in place of four
        "ansible_ssh_common_args": f"-F {lab.ssh_config}",
        "ansible_ssh_args": "-o BatchMode=yes",  # instead of Ansible's own: connections are shared by ssh_config
        "lab_suite": host.suite,
        "lab_addresses": {one.name: one.address(host.number) for one in on},
        "lab_addresses6": {one.name: one.address(host.number, 6) for one in on if one.ipv6},
    }
    groups: dict[str, Any] = {group: {"hosts": {host.name: {}}} for group in host.groups}
    return {"all": {"hosts": {host.name: told}}, **groups}


def _session(controller: Host, lab: Lab, name: str) -> int | None:
    text = controller.read(f"{lab.host_directory(name)}/session")
    return int(text) if text else None
