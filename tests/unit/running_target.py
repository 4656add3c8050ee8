# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configfs of a kernel that has restored a saveconfig.json, as files of a scripted host."""

from __future__ import annotations

from ansible_collections.lunworks.iscsi.tests.unit.lio_host import ACCESS_TYPES, GROUP

ROOT = "/sys/kernel/config/target"
PLUGINS = {"block": "iblock", "ramdisk": "rd_mcp"}
HEAD = "Status: ACTIVATED  Max Queue Depth: 0  SectorSize: 512  HwMaxSectors: 16384\n        "
PARAMETERS = {"AuthMethod": "CHAP,None", "TargetAlias": "LIO Target"}
ATTRIBUTES = {
    "authentication": 1,
    "cache_dynamic_acls": 0,
    "demo_mode_write_protect": 1,
    "generate_node_acls": 0,
    "prod_mode_write_protect": 0,
}


def configfs_of(document):
    """Every object of the document, and what the kernel sets where it says nothing."""
    files = {ROOT: {"kind": "directory"}, f"{ROOT}/iscsi": {"kind": "directory"}}
    places = {}
    for number, store in enumerate(document["storage_objects"]):
        plugin = PLUGINS.get(store["plugin"], store["plugin"])
        place = f"core/{plugin}_{number}/{store['name']}"
        places[f"/backstores/{store['plugin']}/{store['name']}"] = place
        files.update(_backstore(f"{ROOT}/{place}", store, number))
        files[f"{ROOT}/core/{plugin}_{number}/hba_info"] = (
            f"HBA Index: {number} plugin: {plugin} version: v5.0\n"
        )
    for target in document["targets"]:
        for group in target["tpgs"]:
            base = f"{ROOT}/{target['fabric']}/{target['wwn'].lower()}/tpgt_{group['tag']}"
            files.update(_group(base, group, places))
    return files


def _backstore(base, store, number):
    path = store.get("dev", "")
    size, buffered = store.get("size", 0), "Buffered-WCE" if store.get("write_back", True) else "O_DSYNC"
    told = {
        "block": f"iBlock device: dm-{number}  UDEV PATH: {path}  readonly: {int(store.get('readonly', False))}\n"
        f"        Major: 254 Minor: {number}  CLAIMED: IBLOCK\n",
        "fileio": f"TCM FILEIO ID: 0        File: {path}  Size: {size}  Mode: {buffered} Async: 0\n",
        "ramdisk": f"RAMDISK: NULLIO_ON  SGLs: 1  Pages: {size // 4096}  SG_table: 1\n",
        "user": f"Config: {store.get('config')}  Size: {size}  MaxDataAreaMB: 8\n",
    }
    files = {
        f"{base}/alias": "",
        f"{base}/enable": "1\n",
        f"{base}/info": HEAD + told[store["plugin"]],
        f"{base}/udev_path": f"{path}\n",
        f"{base}/wwn/vpd_unit_serial": f"T10 VPD Unit Serial Number: {store.get('wwn', '')}\n",
        f"{base}/attrib/block_size": "512\n",
        f"{base}/attrib/hw_block_size": "512\n",
        f"{base}/attrib/emulate_write_cache": f"{int(store.get('write_back', False))}\n",
    }
    files.update(
        {f"{base}/attrib/{name}": f"{value}\n" for name, value in store.get("attributes", {}).items()}
    )
    for group in store.get("alua_tpgs", [{"name": "default_tg_pt_gp"}]):
        said = {key: str(group.get(key, value)) for key, value in GROUP.items()}
        said["tg_pt_gp_id"] = said["tg_pt_gp_id"] or "0"
        if "alua_access_type" in group:
            said["alua_access_type"] = ACCESS_TYPES[int(group["alua_access_type"])]
        files.update({f"{base}/alua/{group['name']}/{key}": f"{value}\n" for key, value in said.items()})
    return files


def _group(base, group, places):
    files = {f"{base}/enable": f"{int(group.get('enable', True))}\n", f"{base}/dynamic_sessions": ""}
    for name in ("attrib", "param", "np", "lun", "acls", "auth"):
        files[f"{base}/{name}"] = {"kind": "directory"}
    settings = {"attrib": (ATTRIBUTES, "attributes"), "param": (PARAMETERS, "parameters")}
    for name, (usual, key) in settings.items():
        found = {**usual, **group.get(key, {})}
        files.update({f"{base}/{name}/{one}": f"{value}\n" for one, value in found.items()})
    files.update(
        {f"{base}/auth/{key}": "\n" for key in ("userid", "password", "userid_mutual", "password_mutual")}
    )
    for portal in group.get("portals", []):
        address = portal["ip_address"]
        address = f"[{address.strip('[]')}]" if ":" in address else address
        files[f"{base}/np/{address}:{portal['port']}/iser"] = "0\n"
    for lun in group.get("luns", []):
        place = f"{base}/lun/lun_{lun['index']}"
        files[f"{place}/alua_tg_pt_gp"] = (
            f"TG Port Alias: {lun.get('alua_tg_pt_gp_name', 'default_tg_pt_gp')}\n"
        )
        files[f"{place}/{lun.get('alias', 'a0b1c2d3e4')}"] = {
            "link": f"{ROOT}/{places[lun['storage_object']]}"
        }
    for acl in group.get("node_acls", []):
        files.update(_acl(f"{base}/acls/{acl['node_wwn'].lower()}", acl, base))
    return files


def _acl(place, acl, base):
    name = acl["node_wwn"].lower()
    files = {
        f"{place}/tag": f"{acl['tag']}\n" if acl.get("tag") else "",
        f"{place}/info": f"No active iSCSI Session for Initiator Endpoint: {name}\n",
        f"{place}/cmdsn_depth": "64\n",
    }
    fields = {"userid": "chap_userid", "password": "chap_password"}
    fields.update({"userid_mutual": "chap_mutual_userid", "password_mutual": "chap_mutual_password"})
    files.update({f"{place}/auth/{key}": f"{acl.get(saved, '')}\n" for key, saved in fields.items()})
    files.update({f"{place}/attrib/{one}": f"{value}\n" for one, value in acl.get("attributes", {}).items()})
    for one in acl.get("mapped_luns", []):
        files[f"{place}/lun_{one['index']}/write_protect"] = f"{int(one['write_protect'])}\n"
        files[f"{place}/lun_{one['index']}/{one.get('alias', 'f0e1d2c3b4')}"] = {
            "link": f"{base}/lun/lun_{one['tpg_lun']}"
        }
    return files
