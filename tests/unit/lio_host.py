# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scripted host whose configfs answers as the kernel's: what a saved document looks like when it runs, and what steps make
of it. It is as strict as the kernel: a backstore in use does not go, and a setting that is not there cannot be written."""

from __future__ import annotations

import ipaddress
import json
import re

from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._lio.configfs_node import CORE, ISCSI, ROOT
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

SAVED = "/etc/target/saveconfig.json"
HBA = {"block": "iblock", "ramdisk": "rd_mcp"}
ATTRIBUTES = {
    "authentication": 1,
    "cache_dynamic_acls": 0,
    "default_cmdsn_depth": 64,
    "demo_mode_write_protect": 1,
    "generate_node_acls": 0,
    "login_timeout": 15,
    "prod_mode_write_protect": 0,
}
PARAMETERS = {"AuthMethod": "CHAP,None", "ImmediateData": "Yes", "TargetAlias": "LIO Target"}
STORE = {
    "emulate_tpu": 0,
    "queue_depth": 128,
    "hw_queue_depth": 128,
    "optimal_sectors": 16384,
    "hw_max_sectors": 16384,
    "is_nonrot": 0,
}
LACKING = ("netif_timeout", "emulate_older")  # what the file has of another kernel
# An ALUA target port group, as Linux 6.1 shows a new one (target_core_configfs.c).
GROUP = {
    "alua_access_state": "0",
    "alua_access_status": "None",
    "alua_access_type": "Implicit and Explicit",
    "alua_support_active_nonoptimized": "1",
    "alua_support_active_optimized": "1",
    "alua_support_offline": "1",
    "alua_support_standby": "1",
    "alua_support_transitioning": "1",
    "alua_support_unavailable": "1",
    "alua_write_metadata": "0",
    "implicit_trans_secs": "0",
    "members": "",
    "nonop_delay_msecs": "100",
    "preferred": "0",
    "tg_pt_gp_id": "",
    "trans_delay_msecs": "0",
}
ACCESS_TYPES = ("None", "Implicit", "Explicit", "Implicit and Explicit")
AUTH = {
    "userid": "userid",
    "password": "password",
    "userid_mutual": "mutual_userid",
    "password_mutual": "mutual_password",
}


class LioHost(ScriptedHost):
    """'fails': a part of the path of a write that the kernel refuses, once."""

    def __init__(self, files, fails=""):
        super().__init__(files, changing=["sync"])
        self.fails, self._names, self._known = fails, {}, -1

    def list(self, path):
        """Quicker than looking through all files each time."""
        if self._known != (len(self.did), len(self.files)):
            self._names, self._known = {}, (len(self.did), len(self.files))
            for name in self.files:
                while len(name) > 1:
                    above, _slash, own = name.rpartition("/")
                    names = self._names.setdefault(above or "/", set())
                    if own in names:
                        break
                    names.add(own)
                    name = above
        return sorted(self._names.get(path.rstrip("/") or "/", ()))

    def _fail(self, path):
        if self.fails and self.fails in path:
            self.fails = ""
            raise Problem(f"The kernel refused to set '{path}': Invalid argument.")

    def mkdir(self, path, mode=0o755):
        self._fail(path)
        super().mkdir(path, mode)
        base = re.fullmatch(rf"({CORE}/[^/]+/[^/]+|{ISCSI}/[^/]+/tpgt_\d+)", path)
        if base and path.startswith(CORE):
            self.files[f"{path}/wwn/vpd_unit_serial"] = "T10 VPD Unit Serial Number: \n"
            for key, value in {**STORE, "block_size": 512, "emulate_write_cache": 0}.items():
                self.files[f"{path}/attrib/{key}"] = f"{value}\n"
        elif re.fullmatch(rf"{CORE}/[^/]+/[^/]+/alua/[^/]+", path):
            self.files.update({f"{path}/{key}": f"{value}\n" for key, value in GROUP.items()})
        elif re.fullmatch(rf"{ISCSI}/[^/]+/tpgt_\d+/np/[^/]+", path):
            self.files[f"{path}/iser"] = "0\n"
        elif base:
            self.files[f"{path}/enable"] = "0\n"
            for kind, values in (("attrib", ATTRIBUTES), ("param", PARAMETERS)):
                for key, value in values.items():
                    self.files[f"{path}/{kind}/{key}"] = f"{value}\n"

    def poke(self, path, text):
        self._fail(path)
        if path.endswith("emulate_write_cache") and "/iblock_" in path and text == "1":
            raise Problem(f"The kernel refused to set '{path}': Invalid argument.")
        assert "/attrib/" not in path or path in self.files, f"no such setting: {path}"
        if "/alua/" in path or path.endswith("/alua_tg_pt_gp"):
            self._alua(path, text)
            return
        super().poke(path, f"{text}\n")
        base, _slash, name = path.rpartition("/")
        if name == "vpd_unit_serial":
            self.files[path] = f"T10 VPD Unit Serial Number: {text}\n"
        if name == "control":
            del self.files[path]
            told = {**self.files.setdefault(f"{base}/.told", {"options": {}})["options"]}
            told.update(pair.split("=", 1) for pair in text.split(","))
            self.files[f"{base}/.told"] = {"options": told}
            if f"{base}/info" in self.files:  # what is served grows
                grown = rf"\g<1>{told['fd_dev_size']}"
                self.files[f"{base}/info"] = re.sub(r"(\bSize: )\d+", grown, self.files[f"{base}/info"])
        if name == "enable" and base.startswith(CORE):
            self._enable(base, self.files[f"{base}/.told"]["options"])
        if name == "generate_node_acls" and text == "0":
            self.files[f"{base}/cache_dynamic_acls"] = "0\n"

    def _alua(self, path, text):
        """target_core_configfs.c, target_tg_pt_gp_*_store, and target_core_alua.c, core_alua_store_tg_pt_gp_info."""
        base, _slash, name = path.rpartition("/")
        kind, shown = (self.files.get(f"{base}/alua_access_type") or "").strip(), text
        if name == "tg_pt_gp_id" and self.files[path].strip():
            raise Problem(f"The kernel refused to set '{path}': Invalid argument.")
        if name == "alua_access_state" and "Implicit" not in kind:
            raise Problem(f"The kernel refused to set '{path}': Invalid argument.")
        if name == "alua_access_type":
            shown = ACCESS_TYPES[int(text)]
        if name == "alua_tg_pt_gp":
            store = next(
                one["link"] for key, one in self.files.items() if key.startswith(f"{base}/") and "link" in one
            )
            store = f"{CORE}/{'/'.join(store.split('/')[-2:])}"
            self._leave(base)
            if text != "default_tg_pt_gp":
                members = f"{store}/alua/{text}/members"
                assert self.files[f"{store}/alua/{text}/tg_pt_gp_id"].strip(), "a group without a number"
                self.files[members] = f"{self.files[members].strip()}{base}\n"
            shown = f"TG Port Alias: {text}\nTG Port Group ID: 0"
        super().poke(path, f"{shown}\n")

    def _leave(self, lun):
        for key in [key for key in self.files if key.endswith("/members")]:
            self.files[key] = self.files[key].replace(lun, "")

    def _enable(self, base, told):
        if "fd_dev_name" in told:
            path, size = told["fd_dev_name"], told.get("fd_dev_size", "1048576")
            mode = "Buffered-WCE" if told.get("fd_buffered_io") == "1" else "O_DSYNC"
            text = f"File: {path}  Size: {size}  Mode: {mode} Async: {told.get('fd_async_io', '0')}"
        else:
            text = f"iBlock device: dm-0  UDEV PATH: {told['udev_path']}  readonly: {told['readonly']}"
        self.files[f"{base}/info"] = f"Status: ACTIVATED  SectorSize: 512\n {text}\n"

    def rmdir(self, path):
        self._fail(path)
        if "/acls/" in path and [name for name in self.list(path) if name.startswith("lun_")]:
            raise Problem(f"Cannot remove '{path}': Directory not empty.")
        if re.fullmatch(rf"{CORE}/[^/]+/[^/]+", path):
            if [name for name in self.list(f"{path}/alua") if name != "default_tg_pt_gp"]:
                raise Problem(f"Cannot remove '{path}': Directory not empty.")
            own = "/".join(path.split("/")[-2:])
            links = [
                value["link"] for value in self.files.values() if isinstance(value, dict) and "link" in value
            ]
            if [link for link in links if "/core/" in link and link.endswith(f"/{own}")]:
                raise Problem(f"Cannot remove '{path}': Device or resource busy.")
        super().rmdir(path)
        if re.fullmatch(rf"{ISCSI}/[^/]+/tpgt_\d+", path):  # its target stays, until that is removed too
            self.files.setdefault(path.rpartition("/")[0], {"kind": "directory"})

    def symlink(self, target, path):
        self._fail(path)
        super().symlink(target, path)
        if "/lun/lun_" in path and "/acls/" not in path:
            self.files[f"{path.rpartition('/')[0]}/alua_tg_pt_gp"] = "TG Port Alias: default_tg_pt_gp\n"
        if "/acls/" in path:
            born = re.sub(r"/acls/.*", "/attrib/prod_mode_write_protect", path)
            self.files[f"{path.rpartition('/')[0]}/write_protect"] = self.files[born]

    def configfs(self):
        """All that the kernel serves now."""
        return {
            path: value for path, value in self.files.items() if path.startswith(ROOT) and ".told" not in path
        }


def _discovery(document):
    """What is asked for at discovery."""
    entry = next((one for one in document.get("fabric_modules", []) if one.get("name") == "iscsi"), {})
    names = {
        "userid": "userid",
        "password": "password",
        "mutual_userid": "userid_mutual",
        "mutual_password": "password_mutual",
    }
    base = f"{ISCSI}/discovery_auth"
    fields = {f"{base}/{own}": f"{entry.get(f'discovery_{name}') or 'NULL'}\n" for name, own in names.items()}
    return {**fields, f"{base}/enforce_discovery_auth": f"{int(bool(entry.get('discovery_enable_auth')))}\n"}


def running(document):
    """The files of a host that runs what is saved in a document, all of it."""
    files = {
        SAVED: {"text": json.dumps(document), "mode": 0o600},
        **_discovery(document),
        "/srv": {"kind": "directory", "room": 1 << 40},
        "/proc/net/if_inet6": "fd000000000000000000000000000001 03 40 00 80     eth1\n",
        "/proc/net/fib_trie": "".join(f"  |-- 192.0.2.{at}\n     /32 host LOCAL\n" for at in range(1, 9)),
    }
    places = {}
    for at, store in enumerate(document.get("storage_objects", [])):
        place = f"{HBA.get(store['plugin'], store['plugin'])}_{at}/{store['name']}"
        places[f"/backstores/{store['plugin']}/{store['name']}"] = place
        files.update(_store(f"{CORE}/{place}", store, at))
    for target in document.get("targets", []):
        wwn = target["wwn"].lower()
        for group in target.get("tpgs", []):
            base = f"{ROOT}/{target['fabric']}/{wwn}/tpgt_{group.get('tag', 1)}"
            files.update(_group(base, group, places, target["fabric"] == "iscsi", files))
    return files


def _store(base, store, at):
    files = {f"{base}/attrib/{key}": f"{value}\n" for key, value in STORE.items()}
    for key, value in store.get("attributes", {}).items():
        if key not in LACKING:
            files[f"{base}/attrib/{key}"] = f"{value}\n"
    files[f"{base}/wwn/vpd_unit_serial"] = f"T10 VPD Unit Serial Number: {store.get('wwn') or ''}\n"
    for group in store.get("alua_tpgs", []):
        said = {key: str(group.get(key, value)) for key, value in GROUP.items()}
        if "alua_access_type" in group:
            said["alua_access_type"] = ACCESS_TYPES[int(group["alua_access_type"])]
        files.update({f"{base}/alua/{group['name']}/{key}": f"{value}\n" for key, value in said.items()})
    path = store.get("dev") or ""
    files[f"{base}/udev_path"] = f"{path}\n"
    text = ""
    if store["plugin"] == "fileio":
        mode = "Buffered-WCE" if store.get("write_back") else "O_DSYNC"
        size = store.get("size") or 1 << 20
        text = (
            f"TCM FILEIO ID: 0  File: {path}  Size: {size}  Mode: {mode} Async: {int(bool(store.get('aio')))}"
        )
    if store["plugin"] == "block":
        text = f"iBlock device: dm-{at}  UDEV PATH: {path}  readonly: {int(bool(store.get('readonly')))}"
        files[f"{base}/attrib/emulate_write_cache"] = "0\n"
    block_size = store.get("attributes", {}).get("block_size", 512)
    files[f"{base}/info"] = f"Status: ACTIVATED  SectorSize: {block_size}  HwMaxSectors: 16384\n {text}\n"
    if path.startswith("/dev/"):
        files[path] = {"kind": "block", "rdev": 1000 + at}
        files[f"/sys/class/block/{path.rpartition('/')[2]}/size"] = "2048\n"
    elif path:
        files[path] = {"size": int(store.get("size") or 1 << 20)}
    return files


def _group(base, group, places, iscsi, files_there):
    files = {base: {"kind": "directory"}}
    for lun in group.get("luns", []):
        place = places.get(lun["storage_object"])
        if place:
            name = lun.get("alua_tg_pt_gp_name") or "default_tg_pt_gp"
            files[f"{base}/lun/lun_{lun['index']}/alua_tg_pt_gp"] = f"TG Port Alias: {name}\n"
            members = f"{CORE}/{place}/alua/{name}/members"
            if members in files_there:
                files[members] = f"{base}/lun/lun_{lun['index']}\n"
            files[f"{base}/lun/lun_{lun['index']}/x"] = {"link": f"../../../../../../target/core/{place}"}
    if not iscsi:
        return files
    files[f"{base}/enable"] = f"{int(group.get('enable', True))}\n"
    files[f"{base}/auth/userid"] = f"{group.get('chap_userid', '')}\n"
    for kind, key, usual in (("attrib", "attributes", ATTRIBUTES), ("param", "parameters", PARAMETERS)):
        for name, value in {**usual, **group.get(key, {})}.items():
            if name not in LACKING:
                files[f"{base}/{kind}/{name}"] = f"{value}\n"
    for portal in group.get("portals", []):
        address = ipaddress.ip_address(portal["ip_address"].strip("[]"))
        where = f"[{address}]" if address.version == 6 else str(address)
        files[f"{base}/np/{where}:{portal['port']}/iser"] = f"{int(bool(portal.get('iser')))}\n"
    for acl in group.get("node_acls", []):
        files.update(_acl(base, acl))
    return files


def _acl(base, acl):
    own = f"{base}/acls/{acl['node_wwn'].lower()}"
    files = {f"{own}/tag": f"{acl.get('tag', '')}\n", f"{own}/info": "No active iSCSI Session\n"}
    for kernel, saved in AUTH.items():
        files[f"{own}/auth/{kernel}"] = f"{acl.get(f'chap_{saved}') or ''}\n"
    for entry in acl.get("mapped_luns", []):
        files[f"{own}/lun_{entry['index']}/write_protect"] = f"{int(bool(entry.get('write_protect')))}\n"
        files[f"{own}/lun_{entry['index']}/y"] = {"link": f"{base}/lun/lun_{entry['tpg_lun']}"}
    return files
