# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One host of a lab: a User Mode Linux kernel on a copy-on-write image, its disks, its power switch."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any, Sequence

from ansible_collections.lunworks.iscsi.plugins.module_utils import uml_network
from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils.uml import Controller, Lab, named
from ansible_collections.lunworks.iscsi.plugins.module_utils.uml_image import KERNEL, Image, private_key
from ansible_collections.lunworks.iscsi.plugins.module_utils.uml_network import LAST, Network

PATIENCE = 240  # seconds until a host has booted; alone on a machine it takes about 15
LEAST_MEMORY = 128  # MiB; Debian does not come up in less


@dataclass(frozen=True)
class LabHost:
    """What a host is made of. Sizes in bytes, memory in MiB; its number makes its addresses."""

    name: str
    number: int
    suite: str = "bookworm"
    memory: int = 384
    disks: Sequence[int] = ()
    networks: Sequence[str] = ()
    groups: Sequence[str] = ()


@dataclass(frozen=True)
class Seen:
    """A host that exists: what it was made of, from which image, and whether its power is on."""

    host: LabHost
    image: str
    on: bool = field(default=False)


def lab_host(**given: Any) -> LabHost:
    """A host, checked."""
    host = LabHost(
        **{**given, **{key: tuple(given.get(key) or ()) for key in ("disks", "networks", "groups")}}
    )
    named("host", host.name)
    if not 1 <= host.number <= LAST:
        raise Problem(f"The host '{host.name}': its number {host.number} is not between 1 and {LAST}.")
    if host.memory < LEAST_MEMORY:
        raise Problem(
            f"The host '{host.name}': {host.memory} MiB is not enough memory; give {LEAST_MEMORY} or more."
        )
    if not host.networks:
        raise Problem(f"The host '{host.name}' is on no network, so nothing could reach it.")
    return host


def look_hosts(controller: Controller, lab: Lab) -> dict[str, Seen]:
    """The hosts of a lab by name."""
    sessions = {one.session for one in controller.processes(lab) if not one.zombie}
    found = {}
    for name in controller.list(f"{lab.directory}/hosts"):
        record = controller.read(f"{lab.host_directory(name)}/host.json")
        if record:
            told = json.loads(record)
            on = _session(controller, lab, name) in sessions
            found[name] = Seen(lab_host(**told["host"]), told["image"], on)
    return found


def make_host(
    controller: Controller, lab: Lab, host: LabHost, image: Image, networks: dict[str, Network]
) -> None:
    """The host's disks, links and addresses; its power stays off."""
    here = lab.host_directory(host.name)
    controller.mkdir(here)
    for position, size in enumerate(host.disks, 1):
        controller.run("truncate", f"--size={size}", f"{here}/disk{position}.img")
    for name in host.networks:
        if name not in networks:
            raise Problem(
                f"The host '{host.name}' is on the network '{name}', which the lab '{lab.name}' does not have."
            )
        uml_network.make_link(controller, lab, name, host.number)
    first = networks[host.networks[0]].address(host.number)
    controller.write(f"{here}/ssh_config", f"Host {host.name}\n    HostName {first}\n")
    controller.write(
        f"{lab.inventory}/{host.name}.json", json.dumps(_inventory(lab, host, networks), indent=2) + "\n"
    )
    record = {"host": asdict(host), "image": image.path}
    controller.write(f"{here}/host.json", json.dumps(record, indent=2) + "\n")


def remove_host(controller: Controller, lab: Lab, seen: Seen) -> None:
    """Power off and away with all of it."""
    power_cut(controller, lab, seen.host.name)
    for name in uml_network.look_links(controller, lab, seen.host.number):
        uml_network.remove_link(controller, lab, name, seen.host.number)
    controller.run("rm", "-rf", lab.host_directory(seen.host.name), f"{lab.inventory}/{seen.host.name}.json")


def power_cut(controller: Controller, lab: Lab, name: str) -> None:
    """The power is gone: every process of the kernel dies at once, the disks keep what was written to them."""
    session = _session(controller, lab, name)
    if session is not None:
        controller.kill(lab, session)
        controller.remove(f"{lab.host_directory(name)}/session")
    # A connection that ssh keeps for later would wait for a host that is no more.
    controller.run("ssh", "-F", lab.ssh_config, "-O", "exit", name, ok=None)


def wipe(controller: Controller, lab: Lab, seen: Seen) -> None:
    """The host as it was made: the power must be off. The next boot finds a clean root disk and empty disks."""
    here = lab.host_directory(seen.host.name)
    controller.run("rm", "-f", f"{here}/root.cow")
    for position, size in enumerate(seen.host.disks, 1):
        controller.run("truncate", "--size=0", f"{here}/disk{position}.img")
        controller.run("truncate", f"--size={size}", f"{here}/disk{position}.img")


def power_on(controller: Controller, lab: Lab, seen: Seen, networks: dict[str, Network]) -> None:
    """Start the kernel; 'wait_for_host' sees it through."""
    here = lab.host_directory(seen.host.name)
    if controller.stat(seen.image) is None:
        raise Problem(
            f"The image '{seen.image}' of the host '{seen.host.name}' is gone. Take the host down and up again."
        )
    controller.mkdir(f"{here}/uml")
    command = controller.inside(lab, KERNEL, *kernel_arguments(lab, seen, networks))
    session = controller.start(f"{here}/console.log", *command)
    controller.write(f"{here}/session", f"{session}\n")


def kernel_arguments(lab: Lab, seen: Seen, networks: dict[str, Network]) -> list[str]:
    """The kernel's command line (its own part: linux.uml --help; 'lab.' is read by the image's lab-identity)."""
    host, here = seen.host, lab.host_directory(seen.host.name)
    words = [f"mem={host.memory}M", f"umid={host.name}", f"uml_dir={here}/uml"]
    words += [f"ubd0={here}/root.cow,{seen.image}", "root=/dev/ubda", "rw", "net.ifnames=0", "panic=-1"]
    words += [f"ubd{position}={here}/disk{position}.img" for position in range(1, len(host.disks) + 1)]
    for position, name in enumerate(host.networks):
        device = uml_network.tap(name, host.number)
        words.append(
            f"vec{position}:transport=tap,ifname={device},depth=128,gro=1,mac={mac(host.number, position)}"
        )
        words += [f"lab.address=vec{position},{one}" for one in networks[name].interfaces(host.number)]
    words += ["con0=null,fd:1", "con=null", "ssl=null", "loglevel=5", f"systemd.hostname={host.name}"]
    return [*words, f"systemd.machine_id={machine_id(lab, host.name)}"]


def mac(number: int, position: int) -> str:
    """A locally administered address for a host's network card: the same one at every boot."""
    return f"02:4c:57:00:{number:02x}:{position:02x}"


def machine_id(lab: Lab, name: str) -> str:
    """A machine id (machine-id(5)) that stays with the host's name."""
    return hashlib.sha256(f"{lab.name}/{name}".encode()).hexdigest()[:32]


def wait_for_host(controller: Controller, lab: Lab, name: str, patience: float = PATIENCE) -> None:
    """Until ssh answers and systemd has nothing left to start; a Problem shows the end of the console."""

    def booted() -> bool:
        ran = controller.run(
            *("ssh", "-F", lab.ssh_config, name, "systemctl is-system-running --wait"),
            ok=None,
            timeout=patience,
        )
        return ran.out.strip() in ("running", "degraded")

    def over() -> bool:
        return booted() or not look_hosts(controller, lab)[name].on

    if not controller.until(over, patience, 0.5) or not look_hosts(controller, lab)[name].on:
        console = controller.read(f"{lab.host_directory(name)}/console.log") or ""
        raise Problem(
            f"The host '{name}' of the lab '{lab.name}' was booted, but did not answer over ssh with all its units "
            f"started within {patience:g} seconds. The last lines of its console:\n"
            + "\n".join(console.splitlines()[-20:])
        )


def write_ssh_config(controller: Controller, lab: Lab, cache: str) -> None:
    """What ssh, Ansible and testinfra need to reach the hosts from outside of the namespace."""
    controller.mkdir(f"{lab.directory}/ssh", 0o700)
    controller.write(f"{lab.directory}/nsproxy.py", NSPROXY)
    lines = [
        f"Include {lab.directory}/hosts/*/ssh_config",
        "Host *",
        "    User root",
        f"    IdentityFile {private_key(cache)}",
    ]
    lines += [
        f"    ProxyCommand python3 {lab.directory}/nsproxy.py {lab.namespace} %h %p",
        "    ProxyUseFdpass yes",
    ]
    lines += ["    ControlMaster auto", "    ControlPersist 10m", f"    ControlPath {lab.directory}/ssh/%n"]
    lines += ["    IdentitiesOnly yes", "    BatchMode yes", "    LogLevel ERROR", "    ConnectTimeout 20"]
    lines += [
        "    StrictHostKeyChecking no",
        "    UserKnownHostsFile /dev/null",
        "    GSSAPIAuthentication no",
    ]
    lines += ["    ServerAliveInterval 15", "    ServerAliveCountMax 8"]
    controller.write(lab.ssh_config, "\n".join(lines) + "\n")


def _session(controller: Controller, lab: Lab, name: str) -> int | None:
    text = controller.read(f"{lab.host_directory(name)}/session")
    return int(text) if text else None


def _inventory(lab: Lab, host: LabHost, networks: dict[str, Network]) -> dict[str, Any]:
    addresses = {name: networks[name].address(host.number) for name in host.networks}
    addresses6 = {
        name: networks[name].address(host.number, 6) for name in host.networks if networks[name].ipv6
    }
    told = {
        "ansible_host": host.name,
        "ansible_user": "root",
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_ssh_common_args": f"-F {lab.ssh_config}",
        "ansible_ssh_args": "-o BatchMode=yes",  # not Ansible's own: the connections of ssh_config are shared
        "lab_name": lab.name,
        "lab_suite": host.suite,
        "lab_addresses": addresses,
        "lab_addresses6": addresses6,
    }
    groups: dict[str, Any] = {group: {"hosts": {host.name: {}}} for group in host.groups}
    return {"all": {"hosts": {host.name: told}}, **groups}


NSPROXY = '''\
# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens a connection inside a network namespace and hands it to ssh (ssh_config(5), ProxyUseFdpass)."""

import array
import ctypes
import os
import socket
import sys
import time

namespace, host, port = sys.argv[1:4]
with open("/run/netns/" + namespace, "rb") as handle:
    if ctypes.CDLL(None, use_errno=True).setns(handle.fileno(), 0x40000000):  # CLONE_NEWNET
        sys.exit("Cannot enter the network namespace " + namespace + ": " + os.strerror(ctypes.get_errno()))
end = time.monotonic() + 10
while True:  # the first seconds after power on answer "no route", then "refused"
    try:
        link = socket.create_connection((host, int(port)), timeout=3)
        break
    except OSError as error:
        if time.monotonic() > end:
            sys.exit("Cannot reach " + host + " port " + port + ": " + str(error))
        time.sleep(0.2)
link.settimeout(None)
passing = array.array("i", [link.fileno()])
socket.socket(fileno=os.dup(1)).sendmsg([b"\\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, passing)])
'''
