# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Right inventories, and what the check finds in one: without Ansible's own reading, which test_inventory_faults.py tries."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from random import Random

from ansible_collections.lunworks.iscsi.plugins.plugin_utils._inventory.check import Check
from ansible_collections.lunworks.iscsi.plugins.plugin_utils._inventory.fault import sentences

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "meta/inventory.schema.json").read_text(encoding="utf-8"))
IQN = "iqn.2026-01.com.example"
GROUPS = {
    "all": ["store1", "store2", "array", "db-a", "db-b"],
    "storage": ["store1", "store2", "array"],
    "compute": ["db-a", "db-b"],
}
ARRAY_LUN = "36001c23000c9dcf5000002e84a6d3b11"
CHAP = {
    "user": "db",
    "secret": "the hosts secret",
    "mutual_user": "store",
    "mutual_secret": "the targets secret",
}
SAN = {
    "store1": {
        "target_purge": False,
        "target_discovery_chap": {"user": "scout", "secret": "a scouts secret", "enforced": True},
        "target_targets": [
            {
                "name": f"{IQN}:store1.db",
                "portals": ["10.77.1.11", {"portal": "10.77.2.11:3260", "iser": True}, "[fd77:1::b]"],
                "alias": "databases",
                "attributes": {"default_cmdsn_depth": 64},
                "parameters": {"MaxRecvDataSegmentLength": 262144},
                "luns": [
                    {
                        "name": "db0",
                        "path": "/srv/luns/db0.img",
                        "size": "40g",
                        "number": 0,
                        "block_size": 512,
                    },
                    {"name": "db1", "path": "/dev/vg_store/db1", "allocation": "sparse", "write_back": False},
                    {
                        "name": "plain",
                        "path": "/srv/luns/plain.img",
                        "size": "1.5t",
                        "attributes": {"emulate_tpu": 1},
                    },
                ],
                "igroups": [
                    {
                        "name": "db-a",
                        "initiators": [f"{IQN}:db-a"],
                        "luns": ["db0", {"name": "db1", "number": 7, "read_only": False}, "plain"],
                        "chap": {**CHAP},
                    }
                ],
            }
        ],
    },
    "store2": {
        "target_provider": "tgt",
        "target_targets": [
            {
                "name": f"{IQN}:store2.www",
                "portals": ["10.77.1.12", "10.77.2.12"],
                "luns": [{"name": "www", "path": "/srv/luns/www.img", "size": "10g", "number": 1}],
                "igroups": [{"name": "db-b", "initiators": [f"{IQN}:db-b"], "luns": ["www"]}],
            }
        ],
    },
    "array": {
        "target_provider": "manual",
        "target_targets": [
            {
                "name": "iqn.1984-05.com.dell:powervault.6001",
                "portals": ["192.168.130.101", "192.168.131.101"],
                "luns": [{"name": "log", "size": "20g", "number": 0, "wwid": ARRAY_LUN}],
                "igroups": [{"name": "db-b", "initiators": [f"{IQN}:db-b"], "luns": ["log"]}],
            }
        ],
    },
    "db-a": {
        "initiator_name": f"{IQN}:db-a",
        "initiator_alias": "first database",
        "initiator_preset": "multipath",
        "initiator_settings": {"node.session.queue_depth": 64},
        "initiator_secrets": {"discovery.sendtargets.auth.password": "a scouts secret"},
        "initiator_rp_filter_interfaces": ["eth1", "eth2"],
        "initiator_mtu": [
            {"nic": "eth1", "mtu": 9000},
            {"nic": "eth2", "mtu": 9000},
            {"nic": "eth9", "state": "absent"},
        ],
        "initiator_disk_links": False,
        "initiator_unreachable": "fail",
        "initiator_login_timeout_at_boot": 600,
        "initiator_ifaces": [
            {"name": "san1", "nic": "eth1"},
            {"name": "san2", "nic": "eth2", "transport": "tcp"},
        ],
        "initiator_nodes": [
            {
                "target": f"{IQN}:store1.db",
                "portals": ["10.77.1.11", "10.77.2.11"],
                "ifaces": ["san1", "san2"],
                "startup": "automatic",
                "settings": {"node.session.timeo.replacement_timeout": 5},
                "chap": {**CHAP},
                "logged_in": True,
            }
        ],
        "multipath_presets": ["lio"],
        "multipath_fallbacks": {"find_multipaths": "strict", "no_path_retry": 12},
        "multipath_devices": [{"vendor": "LIO-ORG", "product": ".*", "path_grouping_policy": "multibus"}],
        "multipath_aliases": [{"target": f"{IQN}:store1.db", "lun": "db0", "alias": "db0"}],
        "host_storage_paths": 2,
        "volume_groups": [
            {
                "name": "vg_db",
                "luns": [
                    {"target": f"{IQN}:store1.db", "name": "db0", "paths": 2},
                    {"target": f"{IQN}:store1.db", "name": "db1", "timeout": 90, "multipath": True},
                ],
                "extent_size": "4m",
                "autoactivation": True,
                "tags": ["prod"],
                "volumes": [
                    {
                        "name": "data",
                        "size": "30g",
                        "filesystem": "xfs",
                        "mount": "/srv/db",
                        "mount_options": "_netdev,noatime",
                    },
                    {
                        "name": "log",
                        "size": "50%FREE",
                        "filesystem": "ext4",
                        "filesystem_options": ["-m", "0"],
                        "mount": "/srv/log",
                    },
                    {"name": "old", "state": "absent", "force": False},
                ],
            }
        ],
        "volume_filesystems": [
            {
                "target": f"{IQN}:store1.db",
                "name": "plain",
                "filesystem": "ext4",
                "label": "plain",
                "mount": "/srv/plain",
            }
        ],
    },
    "db-b": {
        "initiator_naming_authority": IQN,
        "initiator_discovery": [
            {
                "portals": ["10.77.1.12"],
                "type": "sendtargets",
                "families": ["ipv4"],
                "subnets": ["10.77.0.0/16"],
                "poll_interval": 30,
            }
        ],
        "initiator_nodes": [
            {"target": f"{IQN}:store2.www", "portals": ["10.77.1.12", "10.77.2.12"], "tpg": 1},
            {
                "target": "iqn.1984-05.com.dell:powervault.6001",
                "portals": ["192.168.130.101", "192.168.131.101"],
            },
        ],
        "volume_groups": [
            {
                "name": "vg_www",
                "luns": [{"target": f"{IQN}:store2.www", "name": "www"}],
                "volumes": [
                    {
                        "name": "htdocs",
                        "size": "100%FREE",
                        "filesystem": "ext4",
                        "mount": "/srv/www",
                        "active": True,
                    }
                ],
            },
            {"name": "vg_log", "luns": [{"wwid": ARRAY_LUN}], "volumes": []},
        ],
    },
}


def any_size(random):
    """A size as people write it."""
    return f"{random.randint(4, 900)}{random.choice(['g', 'G', 'gib', 't', ' GiB'])}"


def san():
    """A right SAN, for the caller to change."""
    return deepcopy(SAN)


def faults_in(hosts, groups=None):
    """The sentences that the check has for the variables of these hosts."""
    found = Check(SCHEMA, groups or GROUPS).faults(hosts, lambda _host: lambda text: text)
    return sentences(found)


def spread(seed):
    """A right SAN like people have: other names, sizes, numbers of everything."""
    random = Random(seed)
    domain = random.choice(["com.example", "org.example.storage", "de.beispiel", "net.example.dc-1"])
    iqn = f"iqn.20{random.randint(10, 29)}-{random.randint(1, 12):02}.{domain}"
    stores = [
        f"{random.choice(['store', 'nas', 'filer-'])}{number}" for number in range(1, random.randint(2, 4))
    ]
    hosts = [f"{random.choice(['db', 'web-', 'kvm'])}{number}" for number in range(1, random.randint(2, 6))]
    data = {name: {"target_targets": []} for name in stores}
    data.update({name: _compute(random, iqn, name) for name in hosts})
    for number, host in enumerate(hosts):
        for count in range(random.randint(0, 2)):
            _use(random, iqn, data, random.choice(stores), host, f"{number}{count}")
    groups = {"all": [*stores, *hosts], "storage": stores, "compute": hosts}
    return data, groups


def _compute(random, iqn, name):
    own = (
        {"initiator_name": f"{iqn}:{name}"} if random.random() < 0.7 else {"initiator_naming_authority": iqn}
    )
    if random.random() < 0.3:
        own["initiator_preset"] = random.choice(["multipath", "direct"])
    if random.random() < 0.2:
        own["host_storage_paths"] = random.choice([1, "2", 4])
    return {**own, "initiator_nodes": [], "volume_groups": [], "volume_filesystems": []}


def _use(random, iqn, data, store, host, number):
    """A target on a storage host for a compute host, and what that makes of it."""
    name, portals = (
        f"{iqn}:{store}.{number}",
        [f"10.{random.randint(1, 200)}.{n}.11" for n in range(1, random.randint(2, 4))],
    )
    luns = [f"lun{n}" for n in range(random.randint(1, 3))]
    chap = {"user": host, "secret": f"secret of {host} and {store}"} if random.random() < 0.3 else None
    group = {
        "name": host,
        "initiators": [f"{iqn}:{host}"],
        "luns": [random.choice([lun, {"name": lun}]) for lun in luns],
    }
    node = {"target": name, "portals": [random.choice([p, f"{p}:3260"]) for p in portals]}
    if chap:
        group["chap"], node["chap"] = chap, chap
    data[store]["target_targets"].append(
        {
            "name": name,
            "portals": portals,
            "luns": [
                {"name": lun, "path": f"/srv/luns/{number}-{lun}.img", "size": any_size(random)}
                for lun in luns
            ],
            "igroups": [group],
        }
    )
    data[host]["initiator_nodes"].append(node)
    if random.random() < 0.2:
        data[host]["volume_filesystems"].append(
            {
                "target": name,
                "name": luns.pop(),
                "filesystem": random.choice(["ext4", "xfs"]),
                "mount": f"/mnt/{number}",
            }
        )
    if luns:
        volumes = [
            {
                "name": f"lv{n}",
                "size": random.choice(["1g", "20%VG", "512m"]),
                "filesystem": "ext4",
                "mount": f"/srv/{number}/{n}",
            }
            for n in range(random.randint(0, 3))
        ]
        used = [{"target": name, "name": lun} for lun in luns]
        data[host]["volume_groups"].append({"name": f"vg_{number}", "luns": used, "volumes": volumes})
