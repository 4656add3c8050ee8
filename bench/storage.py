# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The storage side: N LUNs in one target, mapped to one initiator; made, and then found to need nothing.

Beside the module run the same objects made by targetcli, once per object as its modules for Ansible do it (measured at a
small N and multiplied, since it is linear), and raw configfs in one process, the floor. Raw configfs leaves out what a
module must do besides: looking first, the saved file, the second look. The times of the module and of raw configfs leave
out the start of Python (about half a second there), that of the module has the way to the host and back in it.

    python -m bench.storage [--suite bookworm] [--numbers 1 10 50 200]
"""

from __future__ import annotations

import argparse
import json
import time

from ansible_collections.lunworks.iscsi.tests.integration.harness import Host, Lab, succeeded

TARGET, INITIATOR = "iqn.2026-01.com.example:bench", "iqn.2026-01.com.example:one"
LOOP = 3  # LUNs that the targetcli loop makes
RAW = r"""
import json, os, sys, time
R, T, I, N = "/sys/kernel/config/target", sys.argv[1], sys.argv[2], int(sys.argv[3])
tpg = f"{R}/iscsi/{T}/tpgt_1"

def put(path, text):
    with open(path, "w") as file:
        file.write(text)

def make():
    os.makedirs(tpg)
    for key, value in (("authentication", "0"), ("generate_node_acls", "0"), ("demo_mode_write_protect", "1"),
                       ("cache_dynamic_acls", "0"), ("prod_mode_write_protect", "0")):
        put(f"{tpg}/attrib/{key}", value)
    os.mkdir(f"{tpg}/acls/{I}")
    for n in range(N):
        file, store = f"/srv/bench/{n}.img", f"{R}/core/fileio_{n}/{T}:l{n}"
        with open(file, "a") as image:
            image.truncate(1 << 20)
        os.makedirs(store)
        put(f"{store}/control", f"fd_dev_name={file},fd_dev_size={1 << 20}")
        put(f"{store}/udev_path", file)
        put(f"{store}/enable", "1")
        put(f"{store}/wwn/vpd_unit_serial", f"bench-serial-{n:08x}")
        os.mkdir(f"{tpg}/lun/lun_{n}")
        os.symlink(store, f"{tpg}/lun/lun_{n}/l")
        os.mkdir(f"{tpg}/acls/{I}/lun_{n}")
        os.symlink(f"{tpg}/lun/lun_{n}", f"{tpg}/acls/{I}/lun_{n}/l")
    os.mkdir(f"{tpg}/np/0.0.0.0:3260")
    put(f"{tpg}/enable", "1")

def read():
    for top, directories, files in os.walk(tpg):
        directories[:] = [name for name in directories if "statistics" not in name]
    for n in range(N):
        store = f"{R}/core/fileio_{n}/{T}:l{n}"
        for name in ("info", "udev_path", "wwn/vpd_unit_serial"):
            with open(f"{store}/{name}") as file:
                file.read()
        os.readlink(f"{tpg}/lun/lun_{n}/l")
        os.readlink(f"{tpg}/acls/{I}/lun_{n}/l")

os.makedirs("/srv/bench", exist_ok=True)
os.makedirs(f"{R}/iscsi", exist_ok=True)
times = []
for act in (make, read):
    begin = time.monotonic()
    act()
    times.append(time.monotonic() - begin)
print(json.dumps(times))
"""
CLI = f"""
set -e
targetcli() {{ command targetcli "$@" >/dev/null; }}
targetcli set global auto_add_mapped_luns=false
targetcli /iscsi create {TARGET}
targetcli /iscsi/{TARGET}/tpg1/acls create {INITIATOR}
for n in $(seq 0 {LOOP - 1}); do
    targetcli /backstores/fileio create l$n /srv/bench/$n.img 1M
    targetcli /iscsi/{TARGET}/tpg1/luns create /backstores/fileio/l$n
    targetcli /iscsi/{TARGET}/tpg1/acls/{INITIATOR} create $n $n
done
"""
LOOK = f"""
set -e
for n in $(seq 0 {LOOP - 1}); do
    targetcli /backstores/fileio/l$n info >/dev/null
    targetcli /iscsi/{TARGET}/tpg1/luns/lun$n info >/dev/null
    targetcli /iscsi/{TARGET}/tpg1/acls/{INITIATOR}/mapped_lun$n info >/dev/null
done
"""
CLEAN = "targetctl clear; rm -rf /srv/bench /etc/rtslib-fb-target/saveconfig.json"


def timed(act) -> float:
    begin = time.monotonic()
    act()
    return time.monotonic() - begin


def declared(number: int) -> dict:
    luns = [{"name": f"l{n}", "path": f"/srv/bench/{n}.img", "size": "1m"} for n in range(number)]
    igroup = {"name": "one", "initiators": [INITIATOR], "luns": [lun["name"] for lun in luns]}
    return {"name": TARGET, "portals": ["0.0.0.0"], "luns": luns, "igroups": [igroup]}


def module(store: Host, number: int, changed: bool) -> float:
    """One call of the module on a warm connection, in a Python that has started."""

    def act() -> None:
        result = succeeded(store, store.module("targets", diff=False, targets=[declared(number)]))
        assert result["changed"] is changed, result["steps"][:3]

    return timed(act)


def measure(store: Host, number: int) -> dict[str, tuple[float, float]]:
    store.run(CLEAN, check=False)
    floor = json.loads(store.run(f"python3 - {TARGET} {INITIATOR} {number}", stdin=RAW, timeout=300).out)
    store.run(CLEAN, check=False)
    store.run("mkdir -p /srv/bench")
    made = module(store, number, True)
    again = module(store, number, False)
    return {"raw": tuple(floor), "module": (made, again)}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--suite", default="bookworm")
    options.add_argument("--numbers", type=int, nargs="+", default=[1, 10, 50, 200])
    options.add_argument("--lab", default="bench")
    options.add_argument("--keep-lab", action="store_true")
    given = options.parse_args()
    lab = Lab(given.lab)
    lab.up([f"store-{given.suite}"], None)
    try:
        report(lab.host(f"store-{given.suite}"), given.numbers)
    finally:
        if not given.keep_lab:
            lab.down()


def report(store: Host, numbers: list[int]) -> None:
    store.run("modprobe -a target_core_mod iscsi_target_mod target_core_file")
    store.run(CLEAN, check=False)
    store.run("mkdir -p /srv/bench")
    cli = (timed(lambda: store.run(CLI, timeout=600)), timed(lambda: store.run(LOOK, timeout=600)))
    module(store, 0, True)  # ships the module
    print(
        "seconds (made / nothing to do)       module      targetcli loop     raw configfs     loop:module   module:raw"
    )
    for number in numbers:
        found = measure(store, number)
        loop = tuple(seconds / LOOP * number for seconds in cli)
        ours, raw = found["module"], found["raw"]
        print(
            f"N = {number:<4} {ours[0]:17.2f} /{ours[1]:6.2f} {loop[0]:11.0f} /{loop[1]:6.0f} {raw[0]:10.2f} /{raw[1]:6.2f}"
            f" {loop[0] / ours[0]:9.0f} /{loop[1] / ours[1]:5.0f} {ours[0] / raw[0]:7.1f} /{ours[1] / raw[1]:5.1f}"
        )
    store.run(CLEAN, check=False)


if __name__ == "__main__":
    main()
