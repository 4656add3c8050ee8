# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An ONTAP cluster as the calls of the role ontap see it: its REST API on loopback, with what it refuses and what it hides.

Written from NetApp's reference of the REST API (ONTAP 9.16): objects, required properties, the paging of collections, jobs for
LUNs, sizes that are rounded up, passwords that are never returned. The names of errors are its own.
"""

from __future__ import annotations

import base64
import datetime
import ipaddress
import json
import ssl
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

CYLINDER = 255 * 63 * 512
USER, PASSWORD = "admin", "the password of the filer"
FILTERS = ("svm.name", "name", "lun.name", "igroup.name", "initiator")


class Refused(Exception):
    """An error of the API: HTTP status, code, message."""


class Cluster:
    """The state, and every call that would change it."""

    def __init__(self):
        self.svms, self.calls, self.lock = {}, [], threading.RLock()
        self.tables = {
            name: []
            for name in (
                "protocols/san/iscsi/services",
                "protocols/san/iscsi/credentials",
                "protocols/san/iscsi/sessions",
                "protocols/san/igroups",
                "protocols/san/lun-maps",
                "storage/luns",
                "storage/volumes",
                "network/ip/interfaces",
            )
        }
        self.secrets = {}

    def add_svm(self, name, volumes=("san",), addresses=("10.77.1.21", "10.77.2.21"), service=True):
        """An SVM as a storage team hands it over."""
        self.svms[name] = {"name": name, "uuid": self.uuid("svm", name)}
        for volume in volumes:
            self.add("storage/volumes", name, name=volume)
        for address in addresses:
            self.add(
                "network/ip/interfaces", name, name=f"lif_{address}", ip={"address": address, "netmask": "24"}
            )
        if service:
            self.create_service({"svm": {"name": name}})

    @staticmethod
    def uuid(*names):
        return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(names)))

    @staticmethod
    def target_of(svm):
        return f"iqn.1992-08.com.netapp:sn.{uuid.uuid5(uuid.NAMESPACE_URL, svm).hex}:vs.4"

    def add(self, table, svm, **record):
        record = {"svm": dict(self.svms[svm]), **record}
        self.tables[table].append(record)
        return record

    def of(self, table, svm):
        """What an SVM has of one kind, to look at in tests."""
        return [one for one in self.tables[table] if one["svm"]["name"] == svm]

    def log_in(self, svm, initiator):
        self.add("protocols/san/iscsi/sessions", svm, tsih=1, isid="61:62", initiator={"name": initiator})

    # ---- calls that change something ----

    def svm_of(self, body):
        name = body.get("svm", {}).get("name")
        if name not in self.svms:
            raise Refused(400, "2621462", f'SVM "{name}" does not exist.')
        return name

    def one(self, table, **wanted):
        for record in self.tables[table]:
            if all(_at(record, key.replace("__", ".")) == value for key, value in wanted.items()):
                return record
        raise Refused(404, "4", "entry doesn't exist")

    def create_service(self, body):
        svm = self.svm_of(body)
        if self.of("protocols/san/iscsi/services", svm):
            raise Refused(409, "5374078", "An iSCSI service already exists.")
        target = {"name": self.target_of(svm), "alias": body.get("target", {}).get("alias", svm)}
        self.add("protocols/san/iscsi/services", svm, enabled=body.get("enabled", True), target=target)
        self.add("protocols/san/iscsi/credentials", svm, initiator="default", authentication_type="none")

    def change_service(self, svm, body):
        record = self.one("protocols/san/iscsi/services", svm__uuid=svm)
        record["enabled"] = body.get("enabled", record["enabled"])
        record["target"].update(body.get("target", {}))

    def create_credential(self, body):
        svm = self.svm_of(body)
        if any(
            one["initiator"] == body["initiator"] for one in self.of("protocols/san/iscsi/credentials", svm)
        ):
            raise Refused(409, "5374895", "The iSCSI security method already exists.")
        record = self.add("protocols/san/iscsi/credentials", svm, initiator=body["initiator"])
        self._prove(record, body)

    def change_credential(self, svm, initiator, body):
        self._prove(self.one("protocols/san/iscsi/credentials", svm__uuid=svm, initiator=initiator), body)

    def _prove(self, record, body):
        kind = body.get("authentication_type")
        if kind not in ("chap", "none", "deny"):
            raise Refused(400, "262247", f'Invalid value "{kind}" for field "authentication_type"')
        record["authentication_type"] = kind
        chap = record.get("chap", {}) if kind == "chap" else {}
        for way, pair in body.get("chap", {}).items():
            if len(pair["password"]) > 128:
                raise Refused(
                    400, "5374900", f'Invalid value "{pair["password"]}" for field "chap.{way}.password"'
                )
            chap[way] = {"user": pair["user"]}
            self.secrets[record["svm"]["name"], record["initiator"], way] = pair["password"]
        record["chap"] = chap
        if not chap:
            record.pop("chap")

    def create_lun(self, body):
        svm, name = self.svm_of(body), body["name"]
        if name.split("/")[2] not in {one["name"] for one in self.of("storage/volumes", svm)}:
            raise Refused(404, "917927", "The specified volume was not found.")
        if any(one["name"] == name for one in self.of("storage/luns", svm)):
            raise Refused(409, "5374238", "A LUN already exists at this path.")
        if not body.get("os_type"):
            raise Refused(400, "5374875", "os_type is required.")
        reserved = body.get("space", {}).get("guarantee", {}).get("requested", False)
        self.add(
            "storage/luns",
            svm,
            uuid=self.uuid(svm, name, str(len(self.calls))),
            name=name,
            os_type=body["os_type"],
            serial_number=f"wpEzy]{len(self.tables['storage/luns']):06d}",
            space={"size": _rounded(body["space"]["size"]), "guarantee": {"requested": reserved}},
        )

    def change_lun(self, lun, body):
        record = self.one("storage/luns", uuid=lun)
        size = body["space"]["size"]
        if size < record["space"]["size"]:
            raise Refused(400, "5374242", "A LUN cannot be made smaller.")
        record["space"]["size"] = _rounded(size)

    def delete_lun(self, lun, forced):
        record = self.one("storage/luns", uuid=lun)
        if not forced and any(one["lun"]["uuid"] == lun for one in self.tables["protocols/san/lun-maps"]):
            raise Refused(409, "1254197", "The LUN is mapped and cannot be deleted.")
        self.tables["storage/luns"].remove(record)

    def create_igroup(self, body):
        svm, name = self.svm_of(body), body["name"]
        if any(one["name"] == name for one in self.of("protocols/san/igroups", svm)):
            raise Refused(409, "5374733", "An initiator group already exists with this name.")
        self.add(
            "protocols/san/igroups",
            svm,
            uuid=self.uuid(svm, "igroup", name),
            name=name,
            os_type=body["os_type"],
            protocol=body.get("protocol", "mixed"),
            initiators=[{"name": one["name"]} for one in body.get("initiators", [])],
        )

    def add_initiators(self, igroup, body):
        record = self.one("protocols/san/igroups", uuid=igroup)
        record["initiators"] += [{"name": one["name"]} for one in body["records"]]

    def remove_initiator(self, igroup, name, forced):
        record = self.one("protocols/san/igroups", uuid=igroup)
        if not forced and self._maps_of(igroup):
            raise Refused(409, "5374878", "LUN maps exist for the initiator group.")
        record["initiators"] = [one for one in record["initiators"] if one["name"] != name]

    def delete_igroup(self, igroup, forced):
        record = self.one("protocols/san/igroups", uuid=igroup)
        if not forced and self._maps_of(igroup):
            raise Refused(409, "5374866", "LUN maps exist for the initiator group.")
        self.tables["protocols/san/igroups"].remove(record)

    def _maps_of(self, igroup):
        return [one for one in self.tables["protocols/san/lun-maps"] if one["igroup"]["uuid"] == igroup]

    def create_map(self, body):
        svm = self.svm_of(body)
        lun = self.one("storage/luns", svm__name=svm, name=body["lun"]["name"])
        igroup = self.one("protocols/san/igroups", svm__name=svm, name=body["igroup"]["name"])
        there = self._maps_of(igroup["uuid"])
        if any(one["lun"]["uuid"] == lun["uuid"] for one in there):
            raise Refused(409, "5374922", "The LUN is already mapped to this group.")
        taken = {one["logical_unit_number"] for one in there}
        number = body.get("logical_unit_number", min(set(range(4096)) - taken))
        if number in taken:
            raise Refused(409, "5374875", "The logical unit number is in use.")
        self.add(
            "protocols/san/lun-maps",
            svm,
            logical_unit_number=number,
            lun={"name": lun["name"], "uuid": lun["uuid"]},
            igroup={"name": igroup["name"], "uuid": igroup["uuid"]},
        )

    def delete_map(self, lun, igroup):
        record = self.one("protocols/san/lun-maps", lun__uuid=lun, igroup__uuid=igroup)
        self.tables["protocols/san/lun-maps"].remove(record)

    def call(self, method, path, query, body):
        """Carry a call out that changes something, and remember it."""
        self.calls.append((method, path, query, body))
        forced = query.get("allow_delete_while_mapped", "").lower() == "true"
        iscsi, igroups, maps, luns = (
            "protocols/san/iscsi",
            "protocols/san/igroups",
            "protocols/san/lun-maps",
            "storage/luns",
        )
        creating = {
            f"{iscsi}/services": self.create_service,
            f"{iscsi}/credentials": self.create_credential,
            igroups: self.create_igroup,
            maps: self.create_map,
            luns: self.create_lun,
        }
        if method == "POST" and path in creating:
            return creating[path](body)
        parts = path.split("/")
        known = {
            ("PATCH", f"{iscsi}/services", 1): lambda svm: self.change_service(svm, body),
            ("PATCH", f"{iscsi}/credentials", 2): lambda svm, name: self.change_credential(svm, name, body),
            ("PATCH", luns, 1): lambda lun: self.change_lun(lun, body),
            ("DELETE", luns, 1): lambda lun: self.delete_lun(lun, forced),
            ("DELETE", igroups, 1): lambda igroup: self.delete_igroup(igroup, forced),
            ("DELETE", igroups, 3): lambda igroup, _kind, name: self.remove_initiator(igroup, name, forced),
            ("POST", igroups, 2): lambda igroup, _kind: self.add_initiators(igroup, body),
            ("DELETE", maps, 2): self.delete_map,
        }
        for (verb, table, count), act in known.items():
            if (
                verb == method
                and path.startswith(table + "/")
                and len(parts) - len(table.split("/")) == count
            ):
                return act(*parts[-count:])
        raise Refused(404, "3", "API not found")

    def records(self, path, query):
        """A page of a collection."""
        wanted = {key: value for key, value in query.items() if key in FILTERS}
        found = [
            one for one in self.tables[path] if all(_at(one, key) == value for key, value in wanted.items())
        ]
        start, count = int(query.get("start", 0)), int(query.get("max_records", 10000))
        page = {"records": found[start : start + count], "num_records": len(found[start : start + count])}
        page["_links"] = {"self": {"href": f"/api/{path}"}}
        if start + count < len(found):
            rest = "&".join(f"{key}={value}" for key, value in {**query, "start": start + count}.items())
            page["_links"]["next"] = {"href": f"/api/{path}?{rest}"}
        return page


def _rounded(size):
    return -(-int(size) // CYLINDER) * CYLINDER


def _at(record, key):
    for part in key.split("."):
        record = record.get(part, {}) if isinstance(record, dict) else {}
    return record


def nested(body):
    """A body with the dotted keys that the API takes as well as nested ones."""
    found = {}
    for key, value in body.items():
        place, value = found, nested(value) if isinstance(value, dict) else value
        *above, last = key.split(".")
        for part in above:
            place = place.setdefault(part, {})
        if isinstance(value, dict):
            place.setdefault(last, {}).update(value)
        else:
            place[last] = value
    return found


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments):
        pass

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/hal+json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def handle_call(self):
        cluster, url = self.server.cluster, urlsplit(self.path)
        # na_ontap_rest_info asks for further pages below /api//.
        path = unquote(url.path).removeprefix("/api/").lstrip("/")
        query = dict(parse_qsl(url.query))
        length = int(self.headers.get("Content-Length") or 0)
        body = nested(json.loads(self.rfile.read(length))) if length else {}
        known = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") != known:
            return self.answer(401, {"error": {"code": "6691623", "message": "User is not authorized."}})
        with cluster.lock:
            try:
                return self.answer(*self.outcome(cluster, path, query, body))
            except Refused as refused:
                status, code, message = refused.args
                return self.answer(status, {"error": {"code": code, "message": message}})

    def outcome(self, cluster, path, query, body):
        if self.command == "GET" and path == "cluster":
            full = "NetApp Release 9.16.1: Thu Jan 01 00:00:00 UTC 2026"
            return 200, {"version": {"generation": 9, "major": 16, "minor": 1, "full": full}}
        if self.command == "GET" and path.startswith("cluster/jobs/"):
            return 200, {"uuid": path.rsplit("/", 1)[1], "state": "success"}
        if self.command == "GET" and path in cluster.tables:
            return 200, cluster.records(path, query)
        if self.command == "GET":
            raise Refused(404, "3", "API not found")
        cluster.call(self.command, path, query, body)
        if self.command == "POST" and path == "storage/luns":
            job = cluster.uuid("job", str(len(cluster.calls)))
            return 202, {"job": {"uuid": job, "_links": {"self": {"href": f"/api/cluster/jobs/{job}"}}}}
        return (201 if self.command == "POST" else 200), {}

    do_GET = do_POST = do_PATCH = do_DELETE = handle_call


class Filer:
    """A cluster that listens on loopback."""

    def __init__(self, directory):
        self.cluster = Cluster()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.server.cluster = self.cluster
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_certificate(directory))
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def variables(self):
        """How the role reaches it."""
        return {
            "ontap_hostname": "127.0.0.1",
            "ontap_port": self.server.server_address[1],
            "ontap_username": USER,
            "ontap_password": PASSWORD,
            "ontap_validate_certs": False,
        }

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def _certificate(directory):
    """A key with its own certificate for loopback, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "filer.example")])
    now = datetime.datetime.now(datetime.timezone.utc)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    path = directory / "filer.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
