# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small SAN as a survey sees it: 'vg_db' on two LUNs of 'store', active and mounted on 'a', to be moved to 'b'."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.lunworks.iscsi.plugins.module_utils._block.pv_label import Label
from ansible_collections.lunworks.iscsi.plugins.plugin_utils._move.model import (
    Computer,
    Group,
    Lun,
    Mount,
    Storage,
    Survey,
    Target,
    Volume,
)

T = "iqn.2026-01.com.example:store.db"
A, B, C = (f"iqn.2026-01.com.example:{name}" for name in "abc")
PORTALS = frozenset({"10.0.1.1:3260", "10.0.2.1:3260"})
PVS = (("pv-1", "/dev/mapper/w1"), ("pv-2", "/dev/mapper/w2"))
MOUNTS = (
    Mount("data", "/srv/db", "xfs", "_netdev,nofail"),
    Mount("log", "/srv/db/log", "ext4", "_netdev,nofail"),
)
LABEL = Label("pv-1", "vg_db", "uuid-db", 7, pvs=PVS, volumes=("data", "log"))
GROUP = Group("vg_db", "uuid-db", {"pv-1": "w1", "pv-2": "w2"}, (Volume("data", True), Volume("log", True)))


def lun(number, mapped=frozenset({A})):
    return Lun(T, f"db{number}", f"w{number}", f"/srv/{number}.img", frozenset(mapped), frozenset(mapped))


TARGET = Target(T, PORTALS, {"a": (A,), "b": (B,)})
STORE = Storage(
    {T: TARGET},
    (lun(1), lun(2)),
    {"/srv/1.img": LABEL, "/srv/2.img": replace(LABEL, pv="pv-2")},
)
SOURCE = Computer(
    initiator=A,
    groups=(GROUP,),
    mounts=tuple(("vg_db", mount) for mount in MOUNTS),
    disks={"w1": "/dev/mapper/w1", "w2": "/dev/mapper/w2"},
    records={T: PORTALS},
    sessions={T: PORTALS},
    active={"vg_db": frozenset({"data", "log"})},
    version=(2, 3, 16),
)
DESTINATION = Computer(initiator=B, records={T: PORTALS}, sessions={T: PORTALS}, version=(2, 3, 16))


def survey(a=None, b=None, store=None, **more):
    """The survey with some fields of 'a', 'b' and the storage host changed; 'silent' hosts do not answer."""
    silent = more.pop("silent", ())
    hosts = {"a": replace(SOURCE, **(a or {})), "b": replace(DESTINATION, **(b or {}))}
    storages = {"store": replace(STORE, **(store or {}))}
    return Survey(
        source=more.pop("source", "a"),
        destination=more.pop("destination", "b"),
        hosts={name: None if name in silent else host for name, host in hosts.items()},
        storages={name: None if name in silent else one for name, one in storages.items()},
        **more,
    )


def whole_survey(**more):
    """The same with tgt, whose target lets in either the one host or the other, with all that it has."""
    target = replace(TARGET, igroups={"a": (A,)}, portals=frozenset({"0.0.0.0:3260", "[::]:3260"}))
    never = {"records": {}, "sessions": {}}
    return survey(b=never, store={"provider": "tgt", "targets": {T: target}}, **more)


def labelled(**changes):
    """The storage host's labels with other metadata on both LUNs."""
    return {path: replace(label, **changes) for path, label in STORE.labels.items()}


def mapped(*initiators):
    """Both LUNs mapped to these."""
    return (lun(1, frozenset(initiators)), lun(2, frozenset(initiators)))
