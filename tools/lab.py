# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's verbs for people; called by tools/lab."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import yaml

from ansible_collections.lunworks.iscsi.plugins.module_utils._arguments import size
from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml import host as uml_host
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml import image as uml_image
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml import lab as uml_lab
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml import link as uml_link
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml import network as uml_network
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml.controller import (
    STATE,
    Controller,
    Lab,
    lab_of,
)
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml.kernel import CURRENT
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml.lab import Wanted
from ansible_collections.lunworks.iscsi.plugins.module_utils._uml.ssh import ssh

DESCRIPTION = Path(__file__).resolve().parent.parent / "roles/lab/defaults/main.yml"


def options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/lab", description="Hosts with real kernels on this machine.")
    parser.add_argument("--lab", default="lab", help="the lab's name (default: lab)")
    parser.add_argument("--directory", default=STATE, help=f"where labs are kept (default: {STATE})")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    up = verbs.add_parser("up", help="make the networks and hosts, boot what is off")
    up.add_argument(
        "--file", default=str(DESCRIPTION), help="YAML with lab_networks and lab_hosts, as for the role lab"
    )
    verbs.add_parser("down", help="remove the lab and all that belongs to it")
    verbs.add_parser("status", help="every lab, its hosts, whether they are on")
    for verb, text in (
        ("cut", "pull a host's cable to a network"),
        ("heal", "plug it in, at full speed, without loss"),
    ):
        one = verbs.add_parser(verb, help=text)
        one.add_argument("host")
        one.add_argument("network")
    slow = verbs.add_parser("slow", help="make packets from a host late, or lose some, until its next boot")
    slow.add_argument("host")
    slow.add_argument("network")
    slow.add_argument("delay", type=int, help="milliseconds")
    slow.add_argument("loss", type=float, nargs="?", default=0, help="percent")
    hosts = {
        "power-cut": "the power fails",
        "boot": "power on, and wait",
        "reboot": "shut down in order, and boot",
        "fresh": "power cut, empty disks, boot",
        "console": "what the kernel and systemd said",
    }
    for verb, text in hosts.items():
        verbs.add_parser(verb, help=text).add_argument("host")
    ssh = verbs.add_parser("ssh", help="a shell, or one command, on a host")
    ssh.add_argument("host")
    ssh.add_argument("command", nargs=argparse.REMAINDER)
    return parser.parse_args(argv)


def described(path: str) -> Wanted:
    """The lab of a file with the variables of the role lab."""
    with open(path) as file:
        told = yaml.safe_load(file)
    networks = [uml_network.network_of(**one) for one in told["lab_networks"]]
    common = {"kernel": told.get("lab_kernel", CURRENT)}
    hosts = [
        {**common, **one, "disks": [size(disk) for disk in one.get("disks", [])]} for one in told["lab_hosts"]
    ]
    return Wanted(networks, [uml_host.lab_host(**one) for one in hosts])


def status(controller: Controller, root: str) -> None:
    for name in controller.list(root):
        lab = Lab(name, root)
        print(
            uml_lab.describe(
                lab, uml_host.look_hosts(controller, lab), uml_network.look_networks(controller, lab)
            )
        )


def act(controller: Controller, lab: Lab, asked: argparse.Namespace) -> None:
    """The verbs that name a host."""
    name = uml_host.host_named(controller, lab, asked.host).name
    if asked.verb in ("cut", "heal", "slow"):
        cable = uml_host.cable_between(controller, lab, name, asked.network)
        if asked.verb != "slow":
            uml_link.set_up(controller, lab, cable, asked.verb == "heal")
        if asked.verb != "cut":
            step = uml_link.SetDelay(lab, cable, getattr(asked, "delay", 0), getattr(asked, "loss", 0))
            uml_link.refuse_link(cable, [step])
            step.take(controller)
    elif asked.verb == "power-cut":
        uml_host.cut_power(controller, lab, name)
    elif asked.verb == "console":
        print(controller.read(f"{lab.host_directory(name)}/console.log") or "")
    elif asked.verb == "ssh":
        os.execvp("ssh", [*ssh(lab, name), *asked.command])
    else:
        {"boot": uml_lab.boot, "reboot": uml_lab.reboot, "fresh": uml_lab.fresh}[asked.verb](
            controller, lab, [name]
        )


def say(text: str) -> None:
    print(f"{text} ...", file=sys.stderr, flush=True)


def main(argv: list[str]) -> None:
    asked = options(argv)
    controller, lab = Controller(), lab_of(asked.lab, asked.directory)
    if asked.verb == "up":
        uml_lab.up(controller, lab, described(asked.file), uml_image.cache_directory(), say=say)
    elif asked.verb == "down":
        uml_lab.down(controller, lab)
    elif asked.verb != "status":
        act(controller, lab, asked)
    if asked.verb in ("up", "status"):
        status(controller, lab.root)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Problem as problem:
        sys.exit(str(problem))
