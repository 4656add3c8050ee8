# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole SAN as inventory files, and what is to be said of it."""

from __future__ import annotations

from typing import Any, Iterator, Mapping

from ansible.errors import AnsibleFilterError

from ...filter.chap_faults import chap_faults
from ...filter.duplicate_initiator_names import duplicate_initiator_names
from ...filter.san_faults import san_faults
from ...module_utils._arguments import target_key
from .discovery import asked, discovery
from .document import Findings, Variable, dumped, printable, text_of
from .initiator import initiator
from .multipath import multipath
from .network import network
from .secret_names import SecretNames
from .site import changes_of
from .storage import storage
from .volumes import disks_of, shared, volumes

Data = Mapping[str, Any]
# What may be said once for all hosts of a group; all else is a host's own.
OF_ALL = (
    "target_provider",
    "initiator_settings",
    "initiator_rp_filter_interfaces",
    "initiator_login_timeout_at_boot",
    "multipath_presets",
    "multipath_fallbacks",
    "multipath_defaults",
    "multipath_blacklist",
    "multipath_blacklist_exceptions",
    "multipath_devices",
    "multipath_overrides",
)
HEAD = "Written by lunworks.iscsi.adopt from what stands; nothing writes it again, so change it as you like."
TITLES = (
    ("cannot", "What the data cannot say"),
    ("dangerous", "What is dangerous"),
    ("decisions", "What needs a decision"),
    ("changes", "What site.yml will still change, and why"),
)


def adopted(facts: Mapping[str, Data]) -> dict[str, Any]:
    """The files by their paths, the lists, and the targets of each storage host without secrets."""
    secrets = SecretNames(facts)
    owners = _owners(facts)
    found = {host: _host(host, facts[host], secrets, owners) for host in sorted(facts)}
    whole = Findings(dangerous=list(_between(facts)), decisions=_vaults(secrets))
    for one in found.values():
        whole.add(one)
    whole.decisions += _refused(found)
    lists = {name: list(dict.fromkeys(getattr(whole, name))) for name, _title in TITLES}
    texts = dict(_files(facts, found))
    texts["found.txt"] = _told(lists)
    return {
        "files": [{"path": path, "text": texts[path]} for path in sorted(texts)],
        "targets": {host: _checkable(facts[host], found[host]) for host in found},
        "settings": {host: _value(found[host], "initiator_settings", {}) for host in found},
        "discovery": {host: asked(answer) for host, answer in _initiators(facts)},
        "rp_filter": {host: _value(found[host], "initiator_rp_filter_interfaces", []) for host in found},
        **lists,
    }


def _host(host: str, part: Data, secrets: SecretNames, owners: Mapping[str, str]) -> Findings:
    found = Findings()
    if part.get("storage"):
        found.add(storage(host, part["storage"], secrets, owners))
        if part["storage"].get("refused"):
            found.cannot.append(f"'{host}': site.yml refuses these targets: {part['storage']['refused']}")
    if part.get("compute"):
        found.add(_compute(host, part["compute"], secrets))
    if not part.get("storage") and not part.get("compute"):
        found.cannot.append(
            f"'{host}' did not answer, or not everything that was asked: nothing of it is written."
        )
    found.changes += changes_of(host, part)
    return found


def _compute(host: str, part: Data, secrets: SecretNames) -> Findings:
    found = Findings()
    if not part.get("initiator_info"):
        found.cannot.append(f"'{host}' has no open-iscsi: there is nothing to write down.")
        return found
    answer = part["initiator_info"]
    found.add(initiator(host, answer, secrets))
    found.add(discovery(host, answer, part.get("discovery_checks"), secrets))
    found.add(network(host, answer, part.get("rp_filter_check")))
    if part.get("login_refused"):
        found.cannot.append(f"'{host}': site.yml cannot see to the login at boot: {part['login_refused']}")
    if part.get("multipath_info"):
        found.add(multipath(host, part["multipath_info"]))
    if part.get("volume_use_info"):
        found.add(volumes(host, part, _value(found, "initiator_nodes", [])))
    found.dangerous += [f"'{host}': {fault}" for fault in (part.get("timers_info") or {}).get("faults", [])]
    return found


def _owners(facts: Mapping[str, Data]) -> dict[str, str]:
    """The hosts by the names that they give to targets."""
    found = {}
    for host, answer in _initiators(facts):
        names = [answer["name"], *(iface.get("iface.initiatorname") for iface in answer["ifaces"].values())]
        names += [session["initiator"] for session in answer["sessions"]]
        found.update({target_key(name): host for name in names if name})
    return found


def _initiators(facts: Mapping[str, Data]) -> Iterator[tuple[str, Data]]:
    for host in sorted(facts):
        answer = (facts[host].get("compute") or {}).get("initiator_info")
        if answer:
            yield host, answer


def _between(facts: Mapping[str, Data]) -> Iterator[str]:
    """What no host knows alone."""
    answers = dict(_initiators(facts))
    yield from duplicate_initiator_names(answers)
    yield from shared({host: disks_of(answers[host]) for host in answers})
    serials: dict[str, list[str]] = {}
    for host, part in facts.items():
        for target in ((part.get("storage") or {}).get("target_info") or {}).get("targets", []):
            for lun in target["luns"]:
                if lun["wwid"]:
                    serials.setdefault(lun["wwid"], []).append(
                        f"'{lun['path']}' as '{lun['name']}' of '{target['name']}' ('{host}')"
                    )
    for wwid, having in serials.items():
        if len({one.split(" as ")[0] for one in having}) > 1:
            yield f"Different disks have the WWID '{wwid}': {' and '.join(having)}. multipath takes them for one disk."


def _vaults(secrets: SecretNames) -> list[str]:
    return [
        f"Put '{name}' into a vault: the secret of {what}. It is written nowhere, and site.yml cannot run without it."
        for name, what in sorted(secrets.used.items())
    ]


def _files(facts: Mapping[str, Data], found: Mapping[str, Findings]) -> Iterator[tuple[str, str]]:
    common = {group: list(_common(facts, found, group)) for group in ("storage", "compute")}
    for group, variables in common.items():
        if variables:
            yield f"group_vars/{group}.yml", text_of(variables, HEAD)
    for host, one in found.items():
        taken = [v.name for group in common for v in common[group] if facts[host].get(group)]
        own = [variable for variable in one.variables if variable.name not in taken]
        if own:
            yield f"host_vars/{host}.yml", text_of(own, HEAD)
    lines = ["---", f"# {HEAD}", "# How hosts are reached stands in your own inventory."]
    for group in common:
        hosts = [host for host in sorted(facts) if facts[host].get(group)]
        lines += (
            [f"{group}:", "  hosts:", *(f"    {dumped({host: None})[:-5]}" for host in hosts)]
            if hosts
            else []
        )
    yield "hosts.yml", "\n".join([*lines, ""])


def _common(facts: Mapping[str, Data], found: Mapping[str, Findings], group: str) -> Iterator[Variable]:
    """What all hosts of a group have alike, where there are several."""
    hosts = [host for host in found if facts[host].get(group) and found[host].variables]
    if len(hosts) < 2:
        return
    first, *rest = ({one.name: one for one in found[host].variables} for host in hosts)
    for name, one in first.items():
        if name in OF_ALL and all(name in other and other[name].plain == one.plain for other in rest):
            yield one


def _refused(found: Mapping[str, Findings]) -> list[str]:
    """What site.yml says against this data before it looks at a host."""
    data = {host: {one.name: one.plain for one in found[host].variables} for host in found}
    try:
        faults = san_faults(data) + chap_faults(data, required=False)
    except AnsibleFilterError as error:
        faults = [str(error)]
    return [f"site.yml refuses the data as it is written: {fault}" for fault in faults]


def _checkable(part: Data, found: Findings) -> list[dict[str, Any]]:
    """The targets as they can be checked without a secret. tgt cannot go on with secrets that it is not told."""
    asks = part.get("storage", {}).get("provider") == "tgt"
    targets = _value(found, "target_targets", [])
    kept = [one for one in targets if not (asks and any("chap" in group for group in one.get("igroups", [])))]
    return [
        {
            key: [{name: said for name, said in group.items() if name != "chap"} for group in value]
            if key == "igroups"
            else value
            for key, value in target.items()
        }
        for target in kept
    ]


def _value(found: Findings, name: str, otherwise: Any) -> Any:
    return next((one.plain for one in found.variables if one.name == name), otherwise)


def _told(lists: Mapping[str, list[str]]) -> str:
    """The lists as a text, each with its title, each of their sentences in one line."""
    parts = []
    for name, title in TITLES:
        entries = "".join(f"- {printable(one)}\n" for one in lists[name]) or "- nothing\n"
        parts.append(f"{title}\n{'=' * len(title)}\n{entries}")
    return "\n".join(parts)
