# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A storage host for the tests of the initiator: targets that are there when a test begins and gone when it ends."""

from __future__ import annotations

import contextlib
import time
from typing import Any, Iterator

from ansible_collections.lunworks.iscsi.tests.integration.harness import Host, same, succeeded

IQN = "iqn.2026-01.com.example"
SECRET, OTHER = "twelve-bytes-and-more", "another-secret-of-ours"


def initiator_of(compute: Host) -> str:
    """The name that the host has now."""
    name = compute.module("initiator_info")["name"]
    return str(name)


def portals_of(storage: Host) -> list[str]:
    """The addresses of the storage host in both storage networks."""
    return [storage.address("san1"), storage.address("san2")]


def target(name: str, storage: Host, compute: Host, **more: Any) -> dict[str, Any]:
    """A target with one LUN of 64 MiB on both storage networks, for one initiator."""
    igroup = {"name": "test", "initiators": [initiator_of(compute)], "luns": [name]}
    return {
        "name": f"{IQN}:{name}",
        "portals": more.get("portals") or portals_of(storage),
        "luns": [{"name": name, "path": f"/srv/luns/given-{name}.img", "size": "64m"}],
        "igroups": [{**igroup, **({"chap": more["chap"]} if "chap" in more else {})}],
    }


@contextlib.contextmanager
def given(storage: Host, compute: Host, *targets: dict[str, Any]) -> Iterator[None]:
    """These targets stand; in the end neither they nor sessions to them nor records of them are left."""
    names = [one["name"] for one in targets]
    succeeded(storage, storage.module("targets", targets=list(targets)))
    compute.run(
        "modprobe sd_mod"
    )  # so that a disk comes with its login, and not when the module has been loaded
    try:
        yield
    finally:
        succeeded(
            compute, compute.module("nodes", nodes=[{"target": name, "state": "absent"} for name in names])
        )
        succeeded(
            storage, storage.module("targets", targets=[{"name": name, "state": "absent"} for name in names])
        )
        storage.run("rm -f " + " ".join(lun["path"] for one in targets for lun in one["luns"]))


@contextlib.contextmanager
def mapped(storage: Host, compute: Host, name: str, preset: str) -> Iterator[dict[str, Any]]:
    """A LUN of a target of this name on two paths under a map, its records made with the timers of this preset."""
    with given(storage, compute, target(name, storage, compute)):
        compute.run("systemctl reset-failed multipathd; systemctl start multipathd.service", timeout=120)
        node = {
            "target": f"{IQN}:{name}",
            "portals": portals_of(storage),
            "preset": preset,
            "logged_in": True,
        }
        succeeded(compute, compute.module("nodes", nodes=[node]))
        wanted = {"target": f"{IQN}:{name}", "lun": name, "paths": 2}
        found = succeeded(compute, compute.module("disk", **wanted))["state"]
        try:
            yield found
        finally:
            succeeded(compute, compute.module("disk", wwid=found["wwid"], state="absent"))
    compute.run("systemctl stop multipathd.service multipathd.socket", timeout=120)


def sessions(compute: Host, name: str) -> list[str]:
    """The portals through which the host is logged in to a target, as iscsiadm tells them."""
    out = compute.run("iscsiadm -m session", check=False).out
    return sorted(
        line.split()[2].rsplit(",", 1)[0] for line in out.splitlines() if line.split()[3] == f"{IQN}:{name}"
    )


def records(compute: Host, name: str) -> dict[str, str]:
    """The portals of a target's records, and the text of each, as iscsiadm shows them, secrets too."""
    found = {}
    for line in compute.run("iscsiadm -m node", check=False).out.splitlines():
        where, one = line.split()
        if one == f"{IQN}:{name}":
            portal = where.rsplit(",", 1)[0]
            found[portal] = compute.run(f"iscsiadm -m node -T {one} -p {portal} -S").out
    return found


def disk_of(compute: Host, name: str, portal: str) -> str:
    """The disk that a session brought, when udev knows it."""
    compute.run("udevadm settle")
    end = time.monotonic() + 20
    while True:
        found = [
            disk["device"]
            for session in compute.module("initiator_info")["sessions"]
            for disk in session["disks"]
            if session["target"] == f"{IQN}:{name}"
            and session["portal"] == f"{portal}:3260"
            and disk["device"]
        ]
        if found or time.monotonic() > end:
            return str(found[0])


def each_refused(host: Host, module: str, cases: list[tuple[dict[str, Any], str]]) -> None:
    """Every one of these options is refused with a message that contains the part; nothing is changed by any."""
    before = host.fingerprint()
    for options, said in cases:
        result = host.module(module, **options)
        assert result.get("failed") and said in result["msg"], (
            f"'{module}' with {options}: {result.get('msg')}"
        )
        assert not result.get("changed")
    same(before, host.fingerprint(), f"The refusals of '{module}'")
