# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables read by the parsers of the modules that will get them, entry by entry, before any host is asked."""

from __future__ import annotations

import re
from functools import partial
from typing import Any, Callable, Iterator, Mapping, Sequence

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ...filter.node_options import node_options
from ...filter.volume_options import volume_options
from ...module_utils._block.device_name import is_stable
from ...module_utils._fs.filesystems import FILESYSTEM, FilesystemsResource
from ...module_utils._fs.mounts import MOUNTS, MountsResource
from ...module_utils._host import Problem
from ...module_utils._lvm.group.resource import GROUP, GroupsResource
from ...module_utils._lvm.volume.resource import VOLUME, VolumesResource
from ...module_utils._multipath.alias import OPTIONS as ALIASES
from ...module_utils._multipath.alias import MultipathAlias
from ...module_utils._multipath.conf.resource import OPTIONS as MULTIPATH
from ...module_utils._multipath.conf.resource import MultipathConf
from ...module_utils._multipath.disk.resource import ONE_LUN, DisksResource
from ...module_utils._multipath.disk.resource import OPTIONS as DISK
from ...module_utils._net.nic_mtu import OPTIONS as NIC_MTU
from ...module_utils._net.nic_mtu import Mtu
from ...module_utils._open_iscsi.conf.initiator_name import alias_of
from ...module_utils._open_iscsi.conf.iscsid_conf import IscsidConf
from ...module_utils._open_iscsi.discovery.request import OPTIONS as DISCOVERY
from ...module_utils._open_iscsi.discovery.request import request_of
from ...module_utils._open_iscsi.iface.resource import OPTIONS as IFACE
from ...module_utils._open_iscsi.iface.resource import Iface
from ...module_utils._open_iscsi.node.resource import OPTIONS as NODE
from ...module_utils._open_iscsi.node.resource import NodesResource
from ...module_utils._providers import NAMES, provider
from ...module_utils._san.manual import NAME as BY_HAND
from ...module_utils._san.options import LISTED_TARGET, asked_discovery, asked_target
from ...module_utils._san.provider import Provider
from .._typed import truths
from .fault import Path
from .read import CLOSED
from .secret import NO_SPACE, without_value

Values = Mapping[str, Any]
Found = Iterator["tuple[Path, str]"]
LISTS = (
    "target_targets",
    "initiator_ifaces",
    "initiator_discovery",
    "initiator_nodes",
    "volume_groups",
    "volume_filesystems",
)
LINUX = ("iet", "lio", "tgt")  # what serves block devices of Linux, which has links for them
STAND_IN = "/dev/disk/by-id/dm-uuid-mpath-"  # for a disk that only the host can name


def parsed(values: Values) -> Found:
    """What the modules would refuse without a look at their host; the variables have the right shape."""
    for name in LISTS:
        entries = values.get(name)
        if not isinstance(entries, list):  # left out, or a template that cannot be filled in here
            continue
        whole = list(_refused((name,), entries, partial(_read_list, name, values)))
        if whole or is_open(without_vaults(entries)):
            yield from list(_each(name, entries, values)) or whole
    for name, read in SINGLE.items():
        if values.get(name):
            yield from _refused((name,), values[name], read)
    software = _software(values)
    if values.get("target_discovery_chap") and software and software.name != BY_HAND:
        yield from _refused(("target_discovery_chap",), "discovery_chap", software.refuse_option)
    if software and software.name in LINUX:
        yield from _passing_names(values)
    if software and software.name == "tgt":
        yield from _users_of_two(values)


def _passing_names(values: Values) -> Found:
    """Block devices under a name that the kernel gives in the order in which it finds them, as the modules refuse them."""
    for number, position, lun in _members(values, "luns"):
        path = lun.get("path")
        if isinstance(path, str) and path.startswith("/dev/") and not is_open(path) and not is_stable(path):
            place = ("target_targets", number, "luns", position, "path")
            said = f"'{path}' may be a different disk after the next boot. Use a link under /dev/disk/by-id, or a logical volume"
            yield place, said


def _users_of_two(values: Values) -> Found:
    """tgtd has one list of accounts for discovery and all targets."""
    found = values.get("target_discovery_chap")
    users = _users(found)
    for _number, _position, group in _members(values, "igroups"):
        if users & _users(group.get("chap")):
            said = f"has a user that the chap of the igroup '{group.get('name')}' has too, and tgt has one secret for a user"
            yield ("target_discovery_chap",), f"{said}. Use another user for one of them"
            return


def _users(given: Any) -> set[str]:
    named = [given.get(key) for key in ("user", "mutual_user")] if isinstance(given, dict) else []
    return {str(one) for one in named if one and not is_open(one)}


def _members(values: Values, key: str) -> Iterator[tuple[int, int, Values]]:
    """The LUNs or igroups that must be there, with where they stand."""
    targets = values.get("target_targets")
    for number, target in enumerate(targets if isinstance(targets, list) else ()):
        members = target.get(key) if isinstance(target, dict) and target.get("state") != "absent" else None
        for position, one in enumerate(members if isinstance(members, list) else ()):
            if isinstance(one, dict) and one.get("state") != "absent":
                yield number, position, one


def _each(name: str, entries: Sequence[Any], values: Values) -> Found:
    for number, entry in enumerate(entries):
        yield from _refused((name, number), entry, lambda one: _read_list(name, values, [one]))


def _read_list(name: str, values: Values, entries: Sequence[Any]) -> None:
    READERS[name](entries, values)


def _refused(path: Path, value: Any, read: Callable[[Any], Any]) -> Found:
    """What a parser says; of what is known on the host alone, or behind a vault, it is not asked."""
    known = without_vaults(value)
    if is_open(known):
        return
    try:
        read(known)
    except (Problem, AnsibleError) as problem:
        yield path, re.sub(f"'{STAND_IN}\\d+'(?:: )?", "", str(problem)).strip().rstrip(".")
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        yield path, f"does not have the form that its role documents ({error!r})"


def without_vaults(value: Any) -> Any:
    """Without the credentials of which something is behind a vault that does not open here."""
    if isinstance(value, list):
        return [without_vaults(one) for one in value]
    if isinstance(value, dict):
        return {
            key: without_vaults(one)
            for key, one in value.items()
            if not (isinstance(one, dict) and CLOSED in one.values())
        }
    return value


def is_open(value: Any) -> bool:
    """Whether a template is left in it."""
    if isinstance(value, (list, dict)):
        return any(is_open(one) for one in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, str) and any(sign in value for sign in ("{{", "{%", CLOSED))


def _options(spec: dict[str, Any], given: Values, **rules: Any) -> dict[str, Any]:
    """Options as a module gets them: each in its type, with the defaults."""
    known = {key: value for key, value in given.items() if value is not None}
    result = ArgumentSpecValidator(spec, **rules).validate(known)
    if result.error_messages:
        raise Problem(result.error_messages[0].partition(". Supported parameters")[0])
    return dict(result.validated_parameters)


def _listed(spec: dict[str, Any], entries: Sequence[Values], **rules: Any) -> list[dict[str, Any]]:
    return [_options(spec, entry, **rules) for entry in entries]


def _software(values: Values) -> Provider | None:
    name = values.get("target_provider") or "lio"
    return provider(name) if name in NAMES else None


def _targets(entries: Sequence[Values], values: Values) -> None:
    # The WWID that an array shows is of no module.
    known = [
        {**one, "luns": [{key: lun[key] for key in lun if key != "wwid"} for lun in one["luns"]]}
        if one.get("luns")
        else one
        for one in entries
    ]
    given = _listed(LISTED_TARGET, known)
    for options in given:
        asked_target(options)
    software = _software(values)
    if software and software.on_host:
        software.resource(given)
    elif software:
        for one in entries:
            software.refuse(truths(one))


def _ifaces(entries: Sequence[Values], _values: Values) -> None:
    names = [Iface(one).name for one in _listed(IFACE, entries)]
    _once("iface", names)


def _discoveries(entries: Sequence[Values], _values: Values) -> None:
    for one in _listed(DISCOVERY, entries):
        request_of(one)


def _nodes(entries: Sequence[Values], values: Values) -> None:
    settings = values.get("initiator_settings")
    known = settings if isinstance(settings, dict) else None
    with_defaults = node_options(entries, values.get("initiator_preset"), settings=known)
    NodesResource(_listed(NODE, with_defaults), purge=False, unreachable="fail")


def _groups(entries: Sequence[Values], values: Values) -> None:
    _volumes(entries, [], values)


def _filesystems(entries: Sequence[Values], values: Values) -> None:
    _volumes([], entries, values)


def _volumes(groups: Sequence[Values], filesystems: Sequence[Values], values: Values) -> None:
    """As the role volume hands them on; a device stands for each disk, which only the host can name."""
    paths = values.get("volume_paths") or 1
    disks = volume_options(groups, paths, filesystems=filesystems)["disks"]
    named = [{"device": f"{STAND_IN}{number}", "paths": [1]} for number in range(len(disks))]
    given = volume_options(groups, paths, named, filesystems)
    DisksResource(_listed(DISK, disks, **ONE_LUN))
    GroupsResource(_listed(GROUP, given["groups"]), ())
    VolumesResource(_listed(VOLUME, given["volumes"]), ())
    FilesystemsResource(_listed(FILESYSTEM, given["filesystems"]), ())
    mounts = given["mounts"] + given["absent_mounts"]
    MountsResource(_options({"mounts": {**MOUNTS, "required": False}}, {"mounts": mounts})["mounts"])


def _once(what: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Problem(f"The {what} '{twice[0]}' is given more than once.")


def _iscsid(option: str) -> Callable[[Any], Any]:
    def read(value: Any) -> None:
        for name in value:
            if name != without_value(name):
                raise Problem(NO_SPACE.format(without_value(name)))
        try:
            IscsidConf({"preset": None, "settings": {}, "secrets": {}, option: value})
        except Problem as problem:
            raise Problem(str(problem).replace("belongs in '", "belongs in 'initiator_")) from None

    return read


def _multipath(option: str) -> Callable[[Any], Any]:
    return lambda value: MultipathConf(_options(MULTIPATH, {option: value})).text({})


READERS: dict[str, Callable[[Sequence[Values], Values], None]] = {
    "target_targets": _targets,
    "initiator_ifaces": _ifaces,
    "initiator_discovery": _discoveries,
    "initiator_nodes": _nodes,
    "volume_groups": _groups,
    "volume_filesystems": _filesystems,
}
SINGLE: dict[str, Callable[[Any], Any]] = {
    "initiator_alias": lambda value: alias_of(str(value)),
    "initiator_mtu": lambda value: Mtu(_options(NIC_MTU, {"mtu": value})),
    "initiator_settings": _iscsid("settings"),
    "initiator_secrets": _iscsid("secrets"),
    "multipath_drop_in": _multipath("name"),
    **{f"multipath_{option}": _multipath(option) for option in MULTIPATH if option not in ("name", "state")},
    "multipath_aliases": lambda value: MultipathAlias(_options(ALIASES, {"aliases": value})),
    "target_discovery_chap": asked_discovery,
}
