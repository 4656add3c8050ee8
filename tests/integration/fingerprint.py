# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a lab host: prints all of its state that the collection can change, as JSON of section to text.

What changes by itself is left out: counters, live session details, times.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import re
import stat
import subprocess

UNITS = (
    "iscsid.service iscsid.socket open-iscsi.service multipathd.service multipathd.socket tgt.service".split()
)
UNITS += "rtslib-fb-targetctl.service lvm2-monitor.service blk-availability.service remote-fs.target".split()
RESTLESS = {"statistics", "fabric_statistics", "info", "hba_info", "dynamic_sessions", "alias", "members"}
# iscsiadm's question to a portal, what it offers, makes iscsid load them; a check asks it too.
ON_DEMAND = {"iscsi_tcp", "libiscsi_tcp", "libiscsi"}
LVM = {
    "pv": "pv_name,pv_uuid,vg_name,pv_attr,pv_size,pv_free,dev_size,pv_tags",
    "vg": "vg_name,vg_uuid,vg_attr,vg_seqno,vg_size,vg_free,vg_systemid,vg_exported,vg_tags,vg_autoactivation",
    # Not lv_attr, which says whether it is open: udev opens what it looks at. What is mounted is asked for below.
    "lv": "vg_name,lv_name,lv_uuid,lv_layout,lv_permissions,lv_skip_activation,lv_size,lv_active,lv_tags,lv_autoactivation",
    "seg": "lv_uuid,devices",
    "pvseg": "pv_uuid",
}
QUIET = ["--config", "backup { backup=0 archive=0 }"]  # looking shall not write backups


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read().decode(errors="replace")
    except OSError as error:
        return f"({error.strerror})"


def tables():
    """What each map is made of. multipathd groups the paths of one anew whenever their priorities change, by itself."""
    lines = []
    for line in run("dmsetup", "table").splitlines():
        map_, kind, rest = line.partition(" multipath ")
        words = rest.split()
        features = words[: int(words[0]) + 1] if kind else []
        paths = sorted(word for word in words if re.fullmatch("[0-9]+:[0-9]+", word))
        lines.append(" ".join([map_ + kind.rstrip(), *features, *paths]))
    return "\n".join(lines)


def tree(*roots):
    """Every file below these paths: mode, size, content (a hash of large ones)."""
    lines = []
    for root in roots:
        paths = [root] + sorted(
            glob.glob(f"{root}/**", recursive=True) + glob.glob(f"{root}/**/.*", recursive=True)
        )
        for path in sorted({path.rstrip("/") for path in paths}):
            try:
                found = os.lstat(path)
            except OSError:
                continue
            line = f"{path} {found.st_mode:o}"
            if stat.S_ISLNK(found.st_mode):
                line += f" -> {os.readlink(path)}"
            elif stat.S_ISREG(found.st_mode) and found.st_size > 1 << 20:
                line += f" {found.st_size} bytes"
            elif stat.S_ISREG(found.st_mode):
                text = read(path)
                line += f" {hashlib.sha256(text.encode()).hexdigest()[:12]}\n{text}"
            lines.append(line)
    return "\n".join(lines)


def configfs(root="/sys/kernel/config/target"):
    """Every value of the target's configuration in the kernel."""
    lines = []
    for directory, names, files in os.walk(root):
        names[:] = sorted(set(names) - RESTLESS)
        lines += [
            f"{directory}/{n} -> {os.readlink(f'{directory}/{n}')}"
            for n in names
            if os.path.islink(f"{directory}/{n}")
        ]
        lines.append(f"{directory}/")
        lines += [
            f"{directory}/{name} = {read(f'{directory}/{name}').strip()}"
            for name in sorted(set(files) - RESTLESS)
        ]
    return "\n".join(sorted(lines))


def run(*argv):
    try:
        ran = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"({error})"
    return ran.stdout.decode(errors="replace")


def lvm():
    """Everything in one command: to start one costs more than what it reads."""
    columns = [word for one in LVM for word in ("--configreport", one, "-o", LVM[one])]
    return run("lvm", "fullreport", *QUIET, "--reportformat", "json", "--units", "b", "--foreign", *columns)


def units():
    """What is active of these, and by which main process (the first of its cgroup)."""
    pids = []
    for unit in UNITS:
        running = read(f"/sys/fs/cgroup/system.slice/{unit}/cgroup.procs").split()
        pids += [f"{unit} {min(map(int, running))}"] if running and running[0].isdigit() else []
    return run("systemctl", "list-units", "--plain", "--no-legend", *UNITS) + "\n".join(pids)


def luns(root="/srv/luns"):
    lines = []
    for path in sorted(glob.glob(f"{root}*/**", recursive=True)):
        found = os.lstat(path)
        lines.append(f"{path} {found.st_mode:o} {found.st_size}")  # not how full: mounted file systems write
    return "\n".join(lines)


def values(*patterns):
    return "\n".join(
        f"{path} = {read(path).strip()}" for pattern in patterns for path in sorted(glob.glob(pattern))
    )


def mounts():
    return "\n".join(sorted(read("/proc/self/mounts").splitlines()))


def disks():
    """Every disk; a loop device without a file comes with its driver and says nothing."""
    patterns = (
        "/sys/class/block/*/size",
        "/sys/class/block/sd*/device/state",
        "/sys/class/block/sd*/device/wwid",
    )
    lines = values(*patterns).splitlines()
    return "\n".join(line for line in lines if not re.fullmatch(r".*/loop\d+/size = 0", line))


print(
    json.dumps(
        {
            "configfs": configfs(),
            "saveconfig": tree("/etc/rtslib-fb-target", "/etc/target"),
            "iscsi files": tree("/etc/iscsi", "/var/lib/iscsi"),
            "multipath files": tree("/etc/multipath.conf", "/etc/multipath"),
            "sysctl files": tree("/etc/sysctl.conf", "/etc/sysctl.d"),
            "lvm files": tree("/etc/lvm"),
            "tgt files": tree("/etc/tgt"),
            "tgt": run("tgtadm", "--lld", "iscsi", "--op", "show", "--mode", "target"),
            "rp_filter": values("/proc/sys/net/ipv4/conf/*/rp_filter"),
            "mtu": values("/sys/class/net/*/mtu"),
            "network files": tree("/etc/systemd/network", "/etc/network", "/etc/NetworkManager"),
            "sessions": values(
                "/sys/class/iscsi_session/*/targetname",
                "/sys/class/iscsi_session/*/recovery_tmo",
                "/sys/class/iscsi_connection/*/persistent_address",
                "/sys/class/iscsi_connection/*/persistent_port",
            ),
            "disks": disks(),
            "dm tables": tables(),
            "lvm": lvm(),
            "fstab": tree("/etc/fstab"),
            "mounts": mounts(),
            "units": units(),
            "unit files": tree("/etc/systemd/system"),
            "luns": luns(),
            "modules": "\n".join(
                sorted({line.split()[0] for line in read("/proc/modules").splitlines()} - ON_DEMAND)
            ),
        }
    )
)
