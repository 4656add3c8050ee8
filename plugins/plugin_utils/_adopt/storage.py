# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a storage host serves, in the words of the role target."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Iterator, Mapping, Sequence

from ...module_utils._block.device_name import is_stable
from ...module_utils._iet.keys import ATTRIBUTES, SESSION_KEYS, fits
from ...module_utils._san.wwid import iet_id, iet_serial, serial_of
from .access import lets_in_others
from .amount import size_text
from .defaults import (
    FIRST_NUMBER,
    LIO_ALIAS,
    LUN_ATTRIBUTES,
    TARGET_ATTRIBUTES,
    TARGET_PARAMETERS,
    differing,
)
from .document import Entry, Findings, Variable
from .secret_names import SecretNames

Data = Mapping[str, Any]
SERIAL = re.compile(r"[0-9A-Za-z-]{8,64}")  # as the modules take it
BY_FILES = ("iet", "netbsd")  # what is asked for is merged with what their files say
BY_INITIATOR = "lio"  # an igroup has numbers and modes of its own there; elsewhere a LUN has them for all


def storage(host: str, part: Data, secrets: SecretNames, owners: Mapping[str, str]) -> Findings:
    """The data of a storage host; 'owners' are the compute hosts by their initiator names."""
    provider, served = part["provider"], part.get("target_info")
    found = Findings()
    if served is None:
        found.cannot.append(f"'{host}' serves nothing that can be read: {part['reason']}")
        return found
    if provider != "lio":
        found.variables.append(Variable("target_provider", provider, "The daemon that runs here"))
    writer = Targets(host, provider, served, secrets, owners)
    ours = [one for one in served["targets"] if not one.get("defined_in") and one.get("saved", True)]
    entries = tuple(Entry(writer.target(one), writer.comment(one)) for one in ours)
    where = (
        f"As {served['saved']} says"
        if provider in BY_FILES
        else f"As it runs now; saved in {served['saved']}"
    )
    found.variables.append(Variable("target_targets", entries, where))
    asked = served.get("discovery_chap")
    if asked:
        said = secrets.chap("", asked["user"], asked["mutual_user"])
        off = {} if asked["enforced"] else {"enforced": False}
        found.variables.append(Variable("target_discovery_chap", {**said, **off}))
    found.cannot += [f"'{host}': {one}" for one in served["unmanaged"]]
    found.decisions += [f"'{host}': {one} Decide which of the two shall be." for one in served["drift"]]
    found.dangerous += [
        f"'{host}': '{path}' can have CHAP secrets in plain text, and others can read it. Set its mode to 0600."
        for path in served.get("exposed_files", [])
    ]
    return found.add(writer.findings)


class Targets:
    """The targets of one host."""

    def __init__(
        self, host: str, provider: str, served: Data, secrets: SecretNames, owners: Mapping[str, str]
    ) -> None:
        self.host, self.provider, self.served = host, provider, served
        self.secrets, self.owners = secrets, owners
        self.findings = Findings()

    def target(self, one: Data) -> dict[str, Any]:
        """One target with what is in it."""
        found: dict[str, Any] = {"name": one["name"], **self._portals(one)}
        if not one["enabled"] and self.provider not in BY_FILES:
            found["enabled"] = False
            self._decide(one, "is disabled. It is written so; remove it if nobody needs it.")
        found.update(self._settings(one))
        names = Counter(lun["name"] for lun in one["luns"])
        numbers = _expected_numbers(one["luns"], FIRST_NUMBER.get(self.provider, 0))
        groups = _groups_of(one)
        for lun, number in zip(one["luns"], numbers):
            said = self._lun(one, lun, number if names[lun["name"]] == 1 else None)
            if self._shared(one, lun["name"], groups.get(lun["name"], [])):
                said["shared"] = True
            found.setdefault("luns", []).append(said)
        others, told = lets_in_others(self.host, self.provider, one)
        self.findings.add(told)
        if others:
            return found
        own = {lun["name"]: lun["number"] for lun in one["luns"]}
        igroups = [self._igroup(one, group, own) for group in one["igroups"]]
        return {**found, "igroups": igroups} if igroups else found

    def comment(self, one: Data) -> str:
        """Who uses it, and what its LUNs are to hosts."""
        users = sorted({session["initiator"] for session in one["sessions"]})
        lines = [f"Logged in: {', '.join(users) or 'nobody'}"]
        lines += [f"LUN '{lun['name']}': WWID {lun['wwid'] or 'unknown'}" for lun in one["luns"]]
        return "\n".join(lines)

    def _portals(self, one: Data) -> dict[str, Any]:
        """NetBSD's target has all addresses and no other choice; no line of IET's files may name one."""
        iser = one.get("iser") or ()
        portals = [
            {"portal": portal_text(where), "iser": True} if where in iser else portal_text(where)
            for where in one["portals"]
        ]
        known = self.provider not in BY_FILES or (portals and self.provider == "iet")
        return {"portals": portals} if known else {}

    def _settings(self, one: Data) -> Iterator[tuple[str, Any]]:
        """What differs from what a new target has."""
        if self.provider == "iet":
            yield from self._of_file(one)
        if self.provider != "lio":
            return
        alias = one["alias"]
        if alias and alias != LIO_ALIAS:
            yield "alias", alias
        for key, defaults in (("attributes", TARGET_ATTRIBUTES), ("parameters", TARGET_PARAMETERS)):
            other = differing(one[key], defaults)
            if other:
                yield key, other

    def _of_file(self, one: Data) -> Iterator[tuple[str, Any]]:
        """What somebody wrote to ietd.conf, where IET takes it as it is written."""
        for option, taken in (("attributes", ATTRIBUTES), ("parameters", SESSION_KEYS)):
            said = {key: value for key, value in one[option].items() if fits(value, taken[key])}
            if said:
                yield option, said
            self.findings.cannot += [
                f"'{key}' of '{one['name']}' ('{self.host}') is '{one[option][key]}' in {self.served['saved']}, which IET does "
                "not take as it is written. It stays; correct it there."
                for key in sorted(set(one[option]) - set(said))
            ]

    def _lun(self, target: Data, lun: Data, number: int | None) -> dict[str, Any]:
        found: dict[str, Any] = {"name": lun["name"]}
        path, device = lun["path"], lun["path"].startswith("/dev/")
        if path and (not device or is_stable(path)):
            found["path"] = path
        elif path:
            self._decide(
                target,
                f"serves '{path}' as the LUN '{lun['name']}': the kernel numbers such names, and it can be another disk after "
                "a boot. Find a link of it under /dev/disk/by-id and make the backstore on that.",
            )
        if path and not device and lun["size"]:
            found["size"] = size_text(lun["size"])
        if lun["number"] != number:
            found["number"] = lun["number"]
        if lun["serial"] and lun["serial"] != self._derived(target, lun):
            found.update(self._serial(target, lun))
        if lun["block_size"] != 512:
            found["block_size"] = lun["block_size"]
        if lun["write_back"] and (not device or self.provider == "iet"):
            found["write_back"] = True
        if lun["read_only"] and self.provider != BY_INITIATOR:
            found["read_only"] = True
        attributes = self._attributes(lun)
        return {**found, "attributes": attributes} if attributes else found

    def _derived(self, target: Data, lun: Data) -> str:
        """The serial that a new LUN gets."""
        serial = serial_of(target["name"].lower(), lun["name"])
        return iet_serial(serial) if self.provider == "iet" else serial

    def _attributes(self, lun: Data) -> dict[str, Any]:
        """What differs from what a new LUN has."""
        if self.provider == "lio":
            return differing(lun["attributes"], LUN_ATTRIBUTES)
        if self.provider != "iet":
            return {}
        device = lun["path"].startswith("/dev/") and not lun["write_back"]
        given = {"Type": "blockio" if device else "fileio", "ScsiId": iet_id(lun["serial"] or "")}
        return {key: said for key, said in lun["attributes"].items() if said != given.get(key)}

    def _serial(self, target: Data, lun: Data) -> dict[str, str]:
        if SERIAL.fullmatch(lun["serial"]):
            return {"serial": lun["serial"]}
        self.findings.cannot.append(
            f"The serial '{lun['serial']}' of the LUN '{lun['name']}' of '{target['name']}' ('{self.host}'): in the data a "
            "serial has 8 to 64 letters, digits and '-'. The LUN keeps it, but one that is made anew is another disk to hosts."
        )
        return {}

    def _shared(self, target: Data, lun: str, groups: Sequence[Data]) -> bool:
        """Whether several may write to it: it must be said, and somebody must know."""
        names = sorted({name for group in groups for name in group["initiators"]})
        hosts = {self.owners.get(name.lower(), name) for name in names}
        if len(hosts) > 1:
            self.findings.dangerous.append(
                f"The LUN '{lun}' of '{target['name']}' ('{self.host}') is given to {_listed(hosts)}. Two hosts that write to "
                "one LUN destroy its data, unless they know of each other (a cluster). It is written with 'shared: true', "
                "since that is what stands; take it from all but one."
            )
        return len(groups) > 1 or len(hosts) > 1

    def _igroup(self, target: Data, group: Data, own: Mapping[str, int]) -> dict[str, Any]:
        found: dict[str, Any] = {"name": group["name"], "initiators": list(group["initiators"])}
        twice = Counter(entry["name"] for entry in group["luns"])
        for name in sorted(name for name in twice if twice[name] > 1):
            self.findings.cannot.append(
                f"The igroup '{group['name']}' of '{target['name']}' ('{self.host}') has the LUN '{name}' under several "
                "numbers: the data has one for each."
            )
        found["luns"] = [
            _mapped(entry, own) if self.provider == BY_INITIATOR else entry["name"]
            for entry in group["luns"]
            if twice[entry["name"]] == 1
        ]
        if group["chap"] and group["chap"]["user"]:
            found["chap"] = self.secrets.chap(
                target["name"], group["chap"]["user"], group["chap"]["mutual_user"]
            )
        return found

    def _decide(self, target: Data, what: str) -> None:
        self.findings.decisions.append(f"The target '{target['name']}' ('{self.host}') {what}")


def portal_text(text: str) -> str:
    """A portal as people write it: the usual port is not said."""
    return text[: -len(":3260")] if text.endswith(":3260") and not text.startswith("[") else text


def _expected_numbers(luns: Sequence[Data], first: int) -> list[int]:
    """The numbers that new LUNs of this list would get: the lowest free ones, one after the other."""
    taken: set[int] = set()
    found = []
    for lun in luns:
        number = next(one for one in range(first, first + len(luns) + 1) if one not in taken)
        found.append(number)
        taken.add(lun["number"])
    return found


def _groups_of(target: Data) -> dict[str, list[Data]]:
    """The igroups that have each LUN."""
    found: dict[str, list[Data]] = {}
    for group in target["igroups"]:
        for name in dict.fromkeys(entry["name"] for entry in group["luns"]):
            found.setdefault(name, []).append(group)
    return found


def _mapped(entry: Data, own: Mapping[str, int]) -> Any:
    said = {"name": entry["name"]}
    if entry["number"] != own.get(entry["name"]):
        said["number"] = entry["number"]
    if entry["read_only"]:
        said["read_only"] = True
    return said if len(said) > 1 else entry["name"]


def _listed(names: Any) -> str:
    return " and ".join(f"'{name}'" for name in sorted(names))
