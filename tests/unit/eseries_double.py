# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An E-Series array on the loopback interface: the part of SANtricity's Web Services API (version 2) that the modules of
netapp_eseries.santricity and the role eseries call.

What it answers has the shape that these modules read, and what it refuses is what an array refuses: a second map of a volume
(maxMappingsPerVolume is 1), a LUN number or an initiator that is taken, a name that is used or too long, a pool that is full.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

IQN = "iqn.1992-08.com.netapp:2800.600a098000e3c1b0000000005f5e0ff0"
PORTALS = ("192.0.2.10", "192.0.2.11")
USER, PASSWORD = "admin", "the password of the array"
NOBODY = "0" * 40
ACCESS = "21" + "0" * 6 + "600A098000E3C1B00000AC0000000000"
GIB = 1 << 30


class Refused(Exception):
    """An answer with an error."""


class Array:
    """What the array has, in the words of its API."""

    def __init__(self):
        self.hosts, self.groups, self.volumes, self.maps = [], [], [], []
        self.pools = [
            {
                "id": f"0400000060{number:030d}",
                "volumeGroupRef": f"0400000060{number:030d}",
                "name": name,
                "label": name,
                "freeSpace": str(free),
                "diskPool": True,
                "raidLevel": "raidDiskPool",
            }
            for number, (name, free) in enumerate({"pool1": 100 * GIB, "pool2": GIB}.items())
        ]
        self.chap, self.secret, self.alias = ["none"], None, "array"
        self.entity = {"icmpPingResponseEnabled": False, "unnamedDiscoverySessionsEnabled": False}
        self.made, self.calls = 0, []

    # What others have made

    def have_host(self, name, *initiators, group=NOBODY):
        ports = [{"type": "iscsi", "label": f"{name}-{at}", "port": one} for at, one in enumerate(initiators)]
        host = self.new_host({"name": name, "hostType": {"index": 28}, "ports": ports})
        host["clusterRef"] = group
        return host

    def have_group(self, name):
        self.groups.append({"clusterRef": self._ref("85"), "name": name, "label": name})
        self.groups[-1]["id"] = self.groups[-1]["clusterRef"]
        return self.groups[-1]

    def have_volume(self, name, size, pool="pool1", **more):
        found = next(one for one in self.pools if one["name"] == pool)
        return {
            **self.new_volume({"name": name, "poolId": found["id"], "size": size, "segSize": 128}),
            **more,
        }

    def have_map(self, volume, to, lun):
        return self.new_map({"mappableObjectId": volume["volumeRef"], "targetId": to, "lun": lun})

    # What it shows

    def graph(self):
        return {
            "sa": {
                "accessVolume": {"name": "Access", "accessVolumeRef": ACCESS, "enabled": True},
                "iscsiEntityData": self.entity,
                "defaultHostTypeIndex": 28,
            },
            "storagePoolBundle": {
                "target": [self.target()],
                "host": self.hosts,
                "cluster": self.groups,
                "lunMapping": self.maps,
            },
            "volume": self.volumes,
            "highLevelVolBundle": {"thinVolume": []},
            "volumeGroup": self.pools,
        }

    def target(self):
        return {
            "nodeName": {"ioInterfaceType": "iscsi", "iscsiNodeName": IQN, "remoteNodeWWN": None},
            "alias": {"ioInterfaceType": "iscsi", "iscsiAlias": self.alias},
            "configuredAuthMethods": {
                "authMethodData": [{"authMethod": one, "chapSecret": None} for one in self.chap]
            },
            "portals": [
                {
                    "groupTag": tag,
                    "ipAddress": {"addressType": "ipv4", "ipv4Address": address, "ipv6Address": None},
                    "tcpListenPort": 3260,
                }
                for tag, address in enumerate(PORTALS, start=1)
            ],
        }

    def filtered(self, query):
        """Of graph/xpath-filter the paths that the modules ask for."""
        graph = self.graph()
        known = {
            "/storagePoolBundle/target": graph["storagePoolBundle"]["target"],
            "/sa/iscsiEntityData": [self.entity],
            "/sa/defaultHostTypeIndex": [28],
        }
        return known[query]

    # What it does

    def new_host(self, body):
        self._free_name(body["name"], self.hosts)
        ref = self._ref("84")
        host = {
            "hostRef": ref,
            "id": ref,
            "name": body["name"],
            "label": body["name"],
            "hostTypeIndex": body["hostType"]["index"],
            "clusterRef": NOBODY,
            "hostSidePorts": [],
            "ports": [],
            "initiators": [],
        }
        self._add_ports(host, body.get("ports", []))
        self.hosts.append(host)
        return host

    def change_host(self, ref, body):
        host = self._one(self.hosts, ref)
        host["hostTypeIndex"] = body["hostType"]["index"]
        for key in ("hostSidePorts", "initiators"):
            host[key] = [one for one in host[key] if one["id"] not in body.get("portsToRemove", [])]
        for port in body.get("portsToUpdate", []):
            for one in (*host["hostSidePorts"], *host["initiators"]):
                if one["id"] == port["portRef"]:
                    one["label"] = port["label"]
        self._add_ports(host, body.get("ports", []))
        return host

    def _add_ports(self, host, ports):
        used = [one for other in self.hosts for one in other["hostSidePorts"]] + host["hostSidePorts"]
        for port in ports:
            if {port["port"], port["label"]} & {one[key] for one in used for key in ("address", "label")}:
                raise Refused(f"The host port {port['port']} or its label {port['label']} is used already.")
            self._name(port["label"])
            ref = self._ref("89")
            host["hostSidePorts"].append(
                {"id": ref, "type": port["type"], "address": port["port"], "label": port["label"]}
            )
            host["initiators"].append({"id": ref, "initiatorRef": ref, "label": port["label"]})

    def remove_host(self, ref):
        self.hosts.remove(self._one(self.hosts, ref))
        self.maps = [one for one in self.maps if one["mapRef"] != ref]
        self._show_maps()

    def new_group(self, body):
        self._free_name(body["name"], self.groups)
        group = self.have_group(body["name"])
        for ref in body["hosts"]:
            self.move_host(ref, {"group": group["clusterRef"]})
        return group

    def change_group(self, ref, body):
        group = self._one(self.groups, ref)
        for host in body["hosts"]:
            self.move_host(host, {"group": group["clusterRef"]})
        return group

    def move_host(self, ref, body):
        host = self._one(self.hosts, ref)
        host["clusterRef"] = body["group"]
        return host

    def new_volume(self, body):
        self._free_name(body["name"], self.volumes)
        pool = self._one(self.pools, body["poolId"])
        self._take(pool, body["size"])
        ref = self._ref("02", wwn=True)
        volume = {
            "volumeRef": ref,
            "id": ref,
            "name": body["name"],
            "label": body["name"],
            "wwn": ref[8:],
            "worldWideName": ref[8:],
            "capacity": str(body["size"]),
            "totalSizeInBytes": str(body["size"]),
            "volumeGroupRef": pool["volumeGroupRef"],
            "segmentSize": body["segSize"] * 1024,
            "thinProvisioned": False,
            "action": "none",
            "flashCached": False,
            "metadata": [],
            "cacheSettings": {
                "readCacheEnable": True,
                "writeCacheEnable": True,
                "mirrorEnable": True,
                "readAheadMultiplier": 1,
                "cwob": False,
            },
            "preferredManager": "070000000000000000000001",
            "listOfMappings": [],
        }
        self.volumes.append(volume)
        return volume

    def change_volume(self, ref, body):
        volume = self._one(self.volumes, ref)
        volume["metadata"] = body["metaTags"]
        return volume

    def expand_volume(self, ref, body):
        volume = self._one(self.volumes, ref)
        size, before = int(body["expansionSize"]), int(volume["capacity"])
        if body["sizeUnit"] != "bytes" or size <= before:
            raise Refused("A volume can only grow.")
        self._take(self._one(self.pools, volume["volumeGroupRef"]), size - before)
        volume["capacity"] = volume["totalSizeInBytes"] = str(size)
        return volume

    def remove_volume(self, ref):
        if any(one["volumeRef"] == ref for one in self.maps):
            raise Refused("The volume is mapped.")
        self.volumes.remove(self._one(self.volumes, ref))

    def new_map(self, body):
        if any(one["volumeRef"] == body["mappableObjectId"] for one in self.maps):
            raise Refused("The volume is mapped already.")
        found = {
            "lunMappingRef": self._ref("88"),
            "ssid": 0,
            "perms": 15,
            "volumeRef": body["mappableObjectId"],
        }
        found["id"] = found["lunMappingRef"]
        self._place_map(found, body)
        self.maps.append(found)
        self._show_maps()
        return found

    def move_map(self, ref, body):
        found = self._one(self.maps, ref)
        self._place_map(found, body)
        self._show_maps()
        return found

    def _place_map(self, found, body):
        to, lun = body["targetId"], int(body["lun"])
        seeing = self._seeing(to)
        for other in self.maps:
            if other is not found and other["lun"] == lun and self._seeing(other["mapRef"]) & seeing:
                raise Refused(f"The LUN {lun} is used already.")
        kind = "host" if to in {one["hostRef"] for one in self.hosts} else "cluster"
        found.update({"mapRef": to, "lun": lun, "type": kind})

    def _seeing(self, ref):
        hosts = {one["hostRef"] for one in self.hosts if ref in (one["hostRef"], one["clusterRef"])}
        if not hosts and ref not in {NOBODY, *(one["clusterRef"] for one in self.groups)}:
            raise Refused(f"There is no host or host group {ref}.")
        return hosts

    def remove_map(self, ref):
        self.maps.remove(self._one(self.maps, ref))
        self._show_maps()

    def _show_maps(self):
        for volume in self.volumes:
            volume["listOfMappings"] = [one for one in self.maps if one["volumeRef"] == volume["volumeRef"]]

    def change_target(self, body):
        if body.get("enableChapAuthentication"):
            self.chap, self.secret = ["chap"], body["chapSecret"]
        elif "enableChapAuthentication" in body:
            self.chap, self.secret = ["none"], None
        self.alias = body.get("alias", self.alias)

    def change_entity(self, body):
        self.entity.update(body)

    # What it refuses

    def _take(self, pool, size):
        if int(pool["freeSpace"]) < size:
            raise Refused("The storage pool has not enough free space.")
        pool["freeSpace"] = str(int(pool["freeSpace"]) - size)

    def _name(self, name):
        if not re.fullmatch("[A-Za-z0-9_#-]{1,30}", name):
            raise Refused(f"'{name}' is not a valid label.")

    def _free_name(self, name, others):
        self._name(name)
        if name.lower() in {one["name"].lower() for one in others}:
            raise Refused(f"The label '{name}' is used already.")

    def _one(self, things, ref):
        found = [one for one in things if one["id"] == ref]
        if not found:
            raise Refused(f"There is no object {ref}.")
        return found[0]

    def _ref(self, kind, wwn=False):
        self.made += 1
        return f"{kind}000000600A098000E3C1B0{'0000' if wwn else '0030'}{self.made:012X}"


READS = {
    "graph": Array.graph,
    "hosts": lambda array: array.hosts,
    "host-groups": lambda array: array.groups,
    "volumes": lambda array: array.volumes,
    "thin-volumes": lambda array: [],
    "storage-pools": lambda array: array.pools,
    "host-types": lambda array: [{"index": 28, "name": "Linux DM-MP"}, {"index": 1, "name": "Windows"}],
    "interfaces": lambda array: [{"ioInterfaceTypeData": {"interfaceType": "iscsi"}}],
}
WRITES = [
    (r"POST hosts", lambda array, body: array.new_host(body)),
    (r"POST hosts/(\w+)", Array.change_host),
    (r"POST hosts/(\w+)/move", Array.move_host),
    (r"DELETE hosts/(\w+)", Array.remove_host),
    (r"POST host-groups", Array.new_group),
    (r"POST host-groups/(\w+)", Array.change_group),
    (r"POST volumes", Array.new_volume),
    (r"POST volumes/(\w+)", Array.change_volume),
    (r"POST volumes/(\w+)/expand", Array.expand_volume),
    (r"DELETE volumes/(\w+)", Array.remove_volume),
    (r"POST volume-mappings", Array.new_map),
    (r"POST volume-mappings/(\w+)/move", Array.move_map),
    (r"DELETE volume-mappings/(\w+)", Array.remove_map),
    (r"POST iscsi/target-settings", lambda array, body: array.change_target(body)),
    (r"POST iscsi/entity", Array.change_entity),
]


def answer(array, method, path, query, body):
    """The status and the JSON of a call under storage-systems/1/."""
    array.calls.append((f"{method} {path}", body))
    if method == "GET" and path == "graph/xpath-filter":
        return 200, array.filtered(query["query"][0])
    if method == "GET":
        return (200, READS[path](array)) if path in READS else (404, {"errorMessage": "No such resource."})
    for pattern, act in WRITES:
        match = re.fullmatch(pattern, f"{method} {path}")
        if match:
            try:
                return 200, act(array, *match.groups(), *([body] if method == "POST" else []))
            except Refused as refused:
                return 422, {"errorMessage": str(refused), "retcode": "error", "codeType": "symbol"}
    return 404, {"errorMessage": "No such resource."}


@contextmanager
def served(array):
    """The array behind a URL."""

    class Api(BaseHTTPRequestHandler):
        def _serve(self):
            url = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            text = self.rfile.read(length)
            expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            prefix = "/devmgr/v2/storage-systems/1/"
            if url.path == "/devmgr/utils/about":
                self._send(200, {"runningAsProxy": False, "version": "05.70.0000.0001"})
            elif self.headers.get("Authorization") != f"Basic {expected}":
                self._send(401, {"errorMessage": "Invalid user name or password."})
            elif not url.path.startswith(prefix):
                self._send(404, {"errorMessage": "No such resource."})
            else:
                path, query = url.path[len(prefix) :], parse_qs(url.query)
                body = json.loads(text) if text and text != b"null" else None
                self._send(*answer(array, self.command, path, query, body))

        do_GET = do_POST = do_DELETE = _serve

        def _send(self, status, content):
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/devmgr/v2/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
