# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who a compute host is and where it logs in, in the words of the role initiator."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, Iterator, Mapping

from ...filter.node_options import LOGIN_TIMEOUT, RETRIES
from ...module_utils._open_iscsi.conf.settings import ALL, NODE, is_secret
from ...module_utils._open_iscsi.iface.fields import KNOWN, OPTIONS, RANGES, SETTINGS
from .defaults import ISCSID_CONF, OF_DISTRIBUTIONS
from .document import Entry, Findings, Variable
from .secret_names import AUTH, SecretNames, chap_of
from .storage import portal_text

Data = Mapping[str, Any]
CONF = "/etc/iscsi/iscsid.conf"
AT_BOOT = 86400  # roles/initiator, initiator_login_timeout_at_boot
OWN_IFACES = ("default", "iser")
STARTUPS = ("node.startup", "node.conn[0].startup")


@dataclass(frozen=True)
class Node:
    """What records have in common that are one entry of initiator_nodes."""

    target: str
    startup: str
    logged_in: bool
    settings: tuple[tuple[str, str], ...]
    user: str
    mutual_user: str


def initiator(host: str, answer: Data, secrets: SecretNames) -> Findings:
    """The data of a host's initiator."""
    found = Findings()
    if answer["name"]:
        name = Variable("initiator_name", answer["name"], "/etc/iscsi/initiatorname.iscsi")
        found.variables.append(name)
    if answer["alias"]:
        found.variables.append(Variable("initiator_alias", answer["alias"]))
    found.add(_conf(host, answer["iscsid_conf"]))
    ifaces = tuple(
        Entry(_iface(name, fields)) for name, fields in answer["ifaces"].items() if name not in OWN_IFACES
    )
    if ifaces:
        found.variables.append(Variable("initiator_ifaces", ifaces, "The iface files of open-iscsi"))
    found.add(_nodes(host, answer, secrets))
    return found.add(_asides(host, answer))


def _conf(host: str, conf: Data) -> Findings:
    """What of iscsid.conf somebody has set."""
    found = Findings()
    other = {
        key: conf[key]
        for key in sorted(conf)
        if key in ALL
        and not is_secret(key)
        and key not in OF_DISTRIBUTIONS
        and str(conf[key]) != ISCSID_CONF.get(key, "")
    }
    if other:
        found.variables.append(
            Variable("initiator_settings", other, f"{CONF}, where it is not as packages have it")
        )
    secret = sorted(key for key in conf if is_secret(key) and conf[key])
    if secret:
        found.decisions.append(
            f"'{host}': {CONF} has secrets ({', '.join(secret)}), which every new record gets. They are not written down; put "
            "them into 'initiator_secrets' from a vault if new records shall have them."
        )
    return found


def _iface(name: str, fields: Data) -> dict[str, Any]:
    """An iface with what its transport makes of it; what is 0 or empty was not set."""
    transport = str(fields.get("iface.transport_name") or "tcp")
    options = {field: option for option, field in OPTIONS.items()}
    found: dict[str, Any] = {"name": name}
    if transport != "tcp":
        found["transport"] = transport
    settings = {}
    for field in (one for one in fields if fields[one] not in ("", "0", "default", "<empty>")):
        if field in KNOWN.get(transport, ()) and field in options and field != OPTIONS["transport"]:
            option = options[field]
            found[option] = int(fields[field]) if option in RANGES else fields[field]
        elif field in KNOWN.get(transport, ()) and field in SETTINGS:
            settings[field] = fields[field]
    return {**found, "settings": settings} if settings else found


def _nodes(host: str, answer: Data, secrets: SecretNames) -> Findings:
    """The records, those that are alike as one entry."""
    found = Findings()
    records = answer["records"]
    if not records:
        return found
    retries = Counter(str(one["settings"].get(RETRIES, "")) for one in records).most_common(1)[0][0]
    if retries.isdecimal() and int(retries) and int(retries) * LOGIN_TIMEOUT != AT_BOOT:
        seconds = int(retries) * LOGIN_TIMEOUT
        found.variables.append(
            Variable(
                "initiator_login_timeout_at_boot",
                seconds,
                f"{RETRIES} {retries} in the records, {LOGIN_TIMEOUT} s each",
            )
        )
        found.decisions.append(
            f"'{host}': at boot iscsid gives up a portal that does not answer after {seconds} s "
            f"(initiator_login_timeout_at_boot). Without that variable the role lets it try for a day."
        )
    alike: dict[Node, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for one in records:
        alike[_node(one, answer["iscsid_conf"], retries)][portal_text(one["portal"])].add(one["iface"])
    entries = [entry for node in alike for entry in _entries(node, alike[node], secrets)]
    found.variables.append(Variable("initiator_nodes", tuple(entries), "The node records of open-iscsi"))
    return found


def _node(record: Data, conf: Data, retries: str) -> Node:
    settings, standard = record["settings"], {**ISCSID_CONF, **conf, RETRIES: retries}
    other = tuple(
        (key, str(settings[key]))
        for key in sorted(settings)
        if key in NODE
        and key in standard
        and not key.startswith(f"{AUTH}.")
        and key not in (*OF_DISTRIBUTIONS, *STARTUPS)
        and str(settings[key]) != str(standard[key])
    )
    chap = chap_of(settings, AUTH) or {"user": "", "mutual_user": ""}
    return Node(record["target"], record["startup"], record["logged_in"], other, **chap)


def _entries(node: Node, portals: Mapping[str, set[str]], secrets: SecretNames) -> Iterator[Entry]:
    """An entry for the portals that have the same ifaces."""
    by_ifaces: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for portal, names in portals.items():
        by_ifaces[tuple(sorted(names))].append(portal)
    for ifaces, where in by_ifaces.items():
        said: dict[str, Any] = {"target": node.target, "portals": sorted(where)}
        if ifaces != ("default",):
            said["ifaces"] = list(ifaces)
        if node.startup != "automatic":
            said["startup"] = node.startup
        if not node.logged_in:
            said["logged_in"] = False
        if node.settings:
            said["settings"] = dict(node.settings)
        if node.user:
            said["chap"] = secrets.chap(node.target, node.user, node.mutual_user)
        yield Entry(said)


def _asides(host: str, answer: Data) -> Findings:
    """What of records and sessions people must know."""
    found = Findings()
    for one in (one for one in answer["records"] if not one["logged_in"]):
        where = f"'{host}': the record of '{one['target']}' at {one['portal']} (iface {one['iface']})"
        if one["startup"] == "manual":
            found.decisions.append(f"{where} has no session, and none at boot. Delete it if nobody needs it.")
        else:
            found.dangerous.append(
                f"{where} has no session, although it is logged in to at boot: it is stale, or a path is down. Bring the "
                "path back, or delete the record and its entry."
            )
    for one in (one for one in answer["sessions"] if not one["recorded"]):
        found.cannot.append(
            f"'{host}': session {one['number']} with '{one['target']}' at {one['portal']} has no record: it is of the "
            "firmware or of discoveryd, which make it again at boot."
        )
    found.dangerous += [
        f"'{host}': '{path}' has a CHAP secret in plain text, and everybody can read it. Set its mode to 0600."
        for path in answer["exposed_files"]
    ]
    found.decisions += [f"'{host}': {one['text']}" for one in answer["differences"] if one["next_login"]]
    return found
