# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a storage host: who may write to LUNs, in the kernel and after a boot, several times a second.

    writers_watch.py FILE BACKSTORE...

A line of JSON for each change, and one each ten seconds. Nothing in configfs can be read at one instant: who may write in two
readings could do so between them.
"""

from __future__ import annotations

import glob
import json
import os
import sys
import time

from reading import read

SAVED = ("/etc/rtslib-fb-target/saveconfig.json", "/etc/target/saveconfig.json")
EVERY = 0.1  # seconds


def backstore(directory):
    """The backstore that a directory of configfs leads to."""
    for name in glob.glob(f"{directory}/*"):
        if os.path.islink(name):
            place = os.path.realpath(name)
            return backstore(place) if os.path.basename(place).startswith("lun_") else os.path.basename(place)
    return ""


def running(luns):
    """Who may write now: the target is enabled, and the mapping is not read-only."""
    found = set()
    for tpg in glob.glob("/sys/kernel/config/target/iscsi/iqn.*/tpgt_*"):
        if read(f"{tpg}/enable") == "1":
            for mapped in glob.glob(f"{tpg}/acls/*/lun_*"):
                if backstore(mapped) in luns and read(f"{mapped}/write_protect") == "0":
                    found.add(mapped.split("/")[-2])
    return found


def document():
    """The saved file; None while it is not whole: rtslib writes it in place."""
    path = next(filter(os.path.exists, SAVED), None)
    try:
        return json.loads(read(path)) if path else {}
    except ValueError:
        return None


def saved(luns):
    """Who may write after a boot; None for a file that does not become whole."""
    for _time in range(20):
        whole = document()
        if whole is not None:
            break
        time.sleep(EVERY)
    else:
        return None
    targets, found = whole.get("targets", []), set()
    for tpg in (tpg for target in targets for tpg in target["tpgs"]):
        names = {lun["index"]: lun["storage_object"].rpartition("/")[2] for lun in tpg["luns"]}
        for acl in tpg["node_acls"]:
            for mapped in acl["mapped_luns"]:
                if names.get(mapped["tpg_lun"]) in luns and not mapped["write_protect"]:
                    found.add(acl["node_wwn"])
    return found


def look(luns):
    first, kept, second = running(luns), saved(luns), running(luns)
    return {"running": sorted(first & second), "saved": None if kept is None else sorted(kept)}


def main(path, luns):
    last, told, looks = None, 0.0, 0
    with open(path, "a") as file:
        while True:
            seen, now = look(luns), time.time()
            looks += 1
            if seen != last or now - told > 10:
                file.write(json.dumps({"at": now, "looks": looks, **seen}) + "\n")
                file.flush()
                os.fsync(file.fileno())
                last, told, looks = seen, now, 0
            time.sleep(EVERY)


main(sys.argv[1], set(sys.argv[2:]))
