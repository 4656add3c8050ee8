# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes back after a boot: a file of ours for each target in conf.d, and what tgt-admin would do wrong with it.

tgt-admin (scripts/tgt-admin) gives CHAP secrets to a shell as arguments, and opens a target that names no address to
everybody. So each file names an address that no host can have, and the CHAP accounts and those whom they let in are given to
tgtd by a program of ours, which reads them from a comment. Where that does not run, nobody gets in. It also sets the nops, which
tgt-admin ignores in a file.
"""

from __future__ import annotations

import json
from typing import Any, Mapping

from .._chap import Chap
from .._host import Host, lines_of
from .._san.target import Initiator, Lun, LunMap, Target
from .._step import Secret
from .settings import NOP

DIRECTORY = "/etc/tgt/conf.d"
PREFIX, SUFFIX = "lunworks-", ".conf"
HEADER = (
    "# Written by lunworks.iscsi, which writes it anew when the target changes: changes by hand are lost.\n"
)
MARK = "#: "  # the line that says it all; tgt-admin takes it for a comment
RULES = "initiator-address"  # the attribute with the rules for addresses that others made; we make none
NOBODY = "255.255.255.255"  # no connection comes from there (RFC 919)


def file_of(name: str) -> str:
    """The file of a target."""
    return f"{DIRECTORY}/{PREFIX}{name.lower()}{SUFFIX}"


def is_ours(path: str) -> bool:
    """Whether a file has the name of one of ours."""
    return path.startswith(f"{DIRECTORY}/{PREFIX}") and path.endswith(SUFFIX)


def render(target: Target) -> str:
    """The file of a target."""
    chap = _chap(target)
    # No character that Config::General reads even in a comment: '/*' begins one that spans lines, '<<' a text.
    said = json.dumps(_said(target, chap), sort_keys=True).replace("/", "\\u002f").replace("<", "\\u003c")
    lines = [HEADER.rstrip("\n"), MARK + said, f"<target {target.name}>", "    driver iscsi"]
    for number in sorted(target.luns):
        lines += _store(target.luns[number])
    lines += [f"    initiator-address {rule}" for rule in target.attributes.get(RULES, NOBODY).split()]
    if chap is None:
        lines += [f"    initiator-name {name}" for name in sorted(target.initiators)]
    lines += [f"    {key} {value}" for key, value in sorted(target.parameters.items()) if key not in NOP]
    lines += [] if target.enabled else ["    state offline"]
    return "".join(f"{line}\n" for line in [*lines, "</target>"])


def _store(lun: Lun) -> list[str]:
    """One LUN; its block ends in a line of its own, since tgt-admin cannot read both ways in one target."""
    options = [f"lun {lun.number}", f"scsi_id {lun.backstore}", f"scsi_sn {lun.serial}"]
    options += [f"block-size {lun.block_size}", f"write-cache {'on' if lun.write_back else 'off'}"]
    options += ["readonly 1"] if lun.read_only else []
    return [f"    <backing-store {lun.path}>", *(f"        {one}" for one in options), "    </backing-store>"]


def _chap(target: Target) -> Chap | None:
    return next((one.chap for one in target.initiators.values()), None)


def _said(target: Target, chap: Chap | None) -> dict[str, Any]:
    return {
        "name": target.name,
        "enabled": target.enabled,
        "luns": [_said_lun(lun) for _number, lun in sorted(target.luns.items())],
        "igroups": target.igroups(),
        "attributes": target.attributes,
        "parameters": target.parameters,
        "chap": {
            "user": chap.user,
            "secret": chap.secret.reveal(),
            "mutual_user": chap.mutual_user,
            "mutual_secret": chap.mutual_secret.reveal(),
        }
        if chap
        else None,
    }


def _said_lun(lun: Lun) -> dict[str, Any]:
    keys = ("name", "number", "path", "serial", "size", "block_size", "write_back", "read_only")
    return {"identity": lun.backstore, **{key: getattr(lun, key) for key in keys}}


def parse(text: str) -> Target | None:
    """The target in a file of ours; None when it is not as we write it."""
    said = next((line[len(MARK) :] for line in lines_of(text) if line.startswith(MARK)), "")
    try:
        found = _target(json.loads(said))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return found


def _target(said: Mapping[str, Any]) -> Target:
    chap = said["chap"]
    proof = (
        Chap(chap["user"], Secret(chap["secret"]), chap["mutual_user"], Secret(chap["mutual_secret"]))
        if chap
        else None
    )
    luns = {one["number"]: _kept_lun(one) for one in said["luns"]}
    maps = {number: LunMap(number, number, lun.read_only) for number, lun in luns.items()}
    return Target(
        name=said["name"],
        enabled=said["enabled"],
        attributes=dict(said["attributes"]),
        parameters=dict(said["parameters"]),
        luns=luns,
        initiators={
            name: Initiator(igroup, maps, proof)
            for igroup, names in said["igroups"].items()
            for name in names
        },
    )


def _kept_lun(said: Mapping[str, Any]) -> Lun:
    return Lun(backstore=said["identity"], **{key: value for key, value in said.items() if key != "identity"})


def look_files(host: Host) -> dict[str, str]:
    """Our files with their texts."""
    paths = [f"{DIRECTORY}/{name}" for name in host.list(DIRECTORY)]
    return {path: host.read(path) or "" for path in paths if is_ours(path)}
