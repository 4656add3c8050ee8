# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Storage hosts that somebody else set up: what is not named stays, in the kernel and in the file, byte for byte.

Over generated documents of every valid shape, 300 of them; LUNWORKS_DOCUMENTS says another number.
"""

from __future__ import annotations

import copy
import json
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._lio.configfs_node import CORE, ISCSI
from ansible_collections.lunworks.iscsi.plugins.module_utils._lio.info import tell_targets
from ansible_collections.lunworks.iscsi.plugins.module_utils._lio.saveconfig import merged
from ansible_collections.lunworks.iscsi.plugins.module_utils._lio.saved_entry import saved_targets
from ansible_collections.lunworks.iscsi.plugins.module_utils._lio.shape import shape_faults
from ansible_collections.lunworks.iscsi.tests.unit.documents import few, many
from ansible_collections.lunworks.iscsi.tests.unit.foreign_documents import BROKEN, DOCUMENTS, JSON, W
from ansible_collections.lunworks.iscsi.tests.unit.lio_host import SAVED, LioHost, running
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils.test_plans import resources_of

TAKEN_AWAY = ("Unmap", "Stop serving", "Close", "Remove", "No longer", "Disable", "Let '" + W + "' no longer")


def converged(host, door, options):
    """The steps, all of them taken, and the second look."""
    (resource,) = resources_of(door, options)
    seen = resource.look(host)
    want = resource.want(seen)
    steps = resource.plan(seen, want)
    resource.refuse(seen, want, steps)
    list(resource.notes(seen, steps))
    assert resource.plan(want, want) == [], "what is wanted has nothing to do"
    before = copy.deepcopy(host.did)
    for step in steps:
        step.take(host)
    after = resource.look(host)
    assert [str(step) for step in resource.plan(after, want)] == [], "the second look finds a difference"
    assert bool(steps) == (host.did != before)
    return [str(step) for step in steps]


def saved(host):
    return json.loads(host.read(SAVED))


def group_of(document):
    """The portal group that the modules work on."""
    entry = next(one for one in document["targets"] if one["wwn"].lower() == W and one["fabric"] == "iscsi")
    return min(entry["tpgs"], key=lambda one: one["tag"])


def without(document, *paths):
    """The document without what may have changed in the group that is worked on."""
    new = copy.deepcopy(document)
    for path in paths:
        place = group_of(new)
        for key in path[:-1]:
            place = place.get(key, {})
        place.pop(path[-1], None)
        if len(path) > 1 and not place:
            group_of(new).pop(path[0], None)
    return new


def lost(small, big, where=""):
    """What of one document is not in the other."""
    if isinstance(small, dict) and isinstance(big, dict):
        return [fault for key in small for fault in lost(small[key], big.get(key), f"{where}.{key}")]
    if isinstance(small, list) and isinstance(big, list):
        return [f"{where}: {one}" for one in small if not any(lost(one, other) == [] for other in big)]
    return [] if small == big else [f"{where}: {small} became {big}"]


@many
@given(DOCUMENTS)
def test_reading_and_writing_back_changes_nothing(document):
    assert list(shape_faults(document)) == []
    kept = saved_targets(document)
    assert merged(document, kept, kept) == document
    assert merged(document, {}, kept) == document


@few
@given(DOCUMENTS)
def test_a_call_that_names_nothing_new_has_nothing_to_do(document):
    host = LioHost(running(document))
    for door, options in (
        ("target", {"name": W}),
        ("targets", {"targets": [{"name": W.upper()}]}),
        ("lun", {"target": W, "name": "nothing", "state": "absent"}),
    ):
        assert converged(host, door, options) == []
    # A block device has its own cache, whatever is saved of it, and this host runs no CHAP at discovery.
    beside = ("different write_back", "at discovery", "is saved as enforced")
    drift = tell_targets(host, None)["drift"]
    assert [said for said in drift if not any(words in said for words in beside)] == []
    assert host.did == []


@many
@given(DOCUMENTS)
def test_the_smallest_request_changes_the_alias_alone(document):
    host = LioHost(running(document))
    before = host.configfs()
    steps = converged(host, "target", {"name": W, "alias": "x"})
    assert steps == [
        f"Set the parameter TargetAlias of '{W}' to 'x'",
        f"Save the configuration in '{SAVED}', so that it comes back after a boot",
    ]
    changed = {path for path in {*before, *host.configfs()} if before.get(path) != host.configfs().get(path)}
    tag = group_of(document)["tag"]
    assert changed == {f"{ISCSI}/{W}/tpgt_{tag}/param/TargetAlias"}
    alias = ("parameters", "TargetAlias")
    assert without(saved(host), alias) == without(document, alias)
    assert group_of(saved(host))["parameters"]["TargetAlias"] == "x"


@few
@given(DOCUMENTS)
def test_a_new_lun_takes_nothing_away(document):
    host = LioHost(running(document))
    before = host.configfs()
    steps = converged(host, "lun", {"target": W, "name": "new", "path": "/srv/new.img", "size": "1m"})
    assert [step.split("'")[0] for step in steps] == [
        "Make the file ",
        "Make the LUN ",
        "Serve the LUN ",
        "Save the configuration in ",
    ]
    assert {path: host.configfs().get(path) for path in before} == before
    assert lost(document, saved(host)) == []
    assert len(group_of(saved(host))["luns"]) == len(group_of(document).get("luns", [])) + 1
    assert len(saved(host)["storage_objects"]) == len(document["storage_objects"]) + 1


@few
@given(DOCUMENTS, st.integers(0, 3))
def test_a_lun_that_goes_takes_nothing_else_with_it(document, which):
    served = group_of(document).get("luns", [])
    assume(served)
    entry = served[which % len(served)]
    name = entry["storage_object"].split("/", 3)[3]
    host = LioHost(running(document))
    name = name[len(W) + 1 :] if name.startswith(f"{W}:") else name
    try:
        number = {"number": entry["index"]} if entry["index"] < 256 else {}
        steps = converged(host, "lun", {"target": W, "name": name, **number, "state": "absent"})
    except Problem as refused:
        assert f"Several LUNs of '{W}' are called '{name}'" in str(refused)
        assert host.did == []
        return
    assert steps[-1].startswith("Save")
    assert not [step for step in steps if step.split(" ")[0] not in ("Unmap", "Stop", "Close", "Save")]
    left = [one["index"] for one in group_of(saved(host))["luns"]]
    assert left == [one["index"] for one in served if one is not entry]
    others = without(saved(host), ("luns",), ("node_acls",))
    others["storage_objects"] = document["storage_objects"]
    assert others == without(document, ("luns",), ("node_acls",))
    assert lost(saved(host)["storage_objects"], document["storage_objects"]) == []


@few
@given(DOCUMENTS, st.randoms(use_true_random=False))
def test_what_a_half_restore_lost_comes_back_as_it_was_or_is_left(document, random):
    files = running(document)
    tag = group_of(document)["tag"]
    base = f"{ISCSI}/{W}/tpgt_{tag}"
    for entry in group_of(document).get("luns", []):
        if random.random() < 0.5:
            gone = (f"{base}/lun/lun_{entry['index']}/",)
            maps = [
                f"{base}/acls/{acl['node_wwn'].lower()}/lun_{one['index']}/"
                for acl in group_of(document).get("node_acls", [])
                for one in acl.get("mapped_luns", [])
                if one["tpg_lun"] == entry["index"]
            ]
            files = {path: value for path, value in files.items() if not path.startswith((*gone, *maps))}
    host = LioHost(files)
    before = host.configfs()
    try:
        steps = converged(host, "target", {"name": W})
    except Problem as refused:
        assert "another disk under the same name" in str(refused) or "created again" in str(refused), refused
        assert host.did == []
        return
    # A backstore of our own naming that nobody serves is what an interrupted run left: it is recreated.
    own = f"Close the backstore '{W}:"
    assert not [step for step in steps if step.startswith(TAKEN_AWAY) and not step.startswith(own)]
    if not any(step.startswith(own) for step in steps):
        assert {path: host.configfs().get(path) for path in before} == before
    assert saved(host) == document


@few
@given(DOCUMENTS)
def test_an_igroup_changes_its_own_initiators_and_who_may_log_in_alone(document):
    host = LioHost(running(document))
    name = "iqn.2026-01.com.example:new"
    assume(not any("chap_userid" in acl for acl in group_of(document).get("node_acls", [])))
    request = {"target": W, "name": "new", "initiators": [name], "luns": []}
    try:
        steps = converged(host, "igroup", request)
    except Problem as refused:
        assert "requires CHAP from everybody" in str(refused)
        steps = converged(host, "igroup", {**request, "chap": {"user": "", "secret": ""}})
    assert not [step for step in steps if step.startswith(TAKEN_AWAY)]
    acls = group_of(saved(host))["node_acls"]
    assert acls[:-1] == group_of(document).get("node_acls", [])
    assert acls[-1]["node_wwn"] == name
    free = (("attributes",), ("parameters",), ("node_acls",))
    assert without(saved(host), *free) == without(document, *free)
    closed = group_of(saved(host))["attributes"]
    assert (closed["generate_node_acls"], closed["authentication"]) == (0, 0)


@few
@given(DOCUMENTS)
def test_a_target_that_goes_takes_no_other_with_it(document):
    host = LioHost(running(document))
    converged(host, "target", {"name": W, "state": "absent"})
    left = [one for one in document["targets"] if one["wwn"].lower() != W]
    assert saved(host)["targets"] == left
    used = {lun["storage_object"] for one in left for group in one["tpgs"] for lun in group.get("luns", [])}
    stores = [f"/backstores/{one['plugin']}/{one['name']}" for one in saved(host)["storage_objects"]]
    assert used <= set(stores)
    assert not [path for path in host.configfs() if path.startswith(f"{ISCSI}/{W}/")]


REQUESTS = st.fixed_dictionaries(
    {"name": st.just(W)},
    optional={
        "alias": st.sampled_from(["LIO", "x"]),
        "enabled": st.booleans(),
        "attributes": st.fixed_dictionaries({"login_timeout": st.sampled_from([15, 20])}),
        "portals": st.sampled_from([["192.0.2.1:3261"], ["[fd00::1]:3261", "192.0.2.4"], []]),
        "luns": st.lists(
            st.fixed_dictionaries(
                {"name": st.sampled_from(["data", "data2", "ro", "new"])},
                optional={
                    "path": st.sampled_from(["/dev/vg/a", "/srv/d.img", "/srv/new.img", "/dev/vg/c"]),
                    "size": st.sampled_from(["1m", "2m"]),
                    "number": st.sampled_from([0, 1, 7, 9]),
                    "attributes": st.fixed_dictionaries({"is_nonrot": st.sampled_from([0, 1])}),
                    "read_only": st.booleans(),
                    "state": st.sampled_from(["present", "absent"]),
                },
            ),
            max_size=2,
            unique_by=lambda lun: lun["name"],
        ),
        "igroups": st.lists(
            st.fixed_dictionaries(
                {"name": st.sampled_from(["g", "h"]), "initiators": st.just(["iqn.2026-01.com.example:i"])},
                optional={
                    "luns": st.lists(
                        st.fixed_dictionaries(
                            {"name": st.sampled_from(["data", "data2", "new"]), "shared": st.just(True)},
                            optional={
                                "read_only": st.booleans(),
                                "number": st.sampled_from([0, 3]),
                                "state": st.sampled_from(["present", "absent"]),
                            },
                        ),
                        max_size=2,
                        unique_by=lambda lun: lun["name"],
                    )
                },
            ),
            max_size=1,
        ),
    },
)


@many
@given(DOCUMENTS, REQUESTS, st.booleans())
def test_where_nothing_is_left_to_do_what_was_asked_for_is_so(document, request, purge):
    """It is refused, or it is so: in the kernel, and in the file that comes back after a boot."""
    host = LioHost({**running(document), "/proc/self/ns/mnt": {"link": "mnt:[1]"}})
    try:
        converged(host, "targets", {"targets": [request], "purge": purge})
    except Problem as refused:
        assert host.did == [], f"refused once it had begun: {refused}"
        return
    assert untrue(host, f"{ISCSI}/{W}/tpgt_{group_of(document)['tag']}", request) == []
    assert unsaved(group_of(saved(host)), request) == []
    rebooted = LioHost({**host.files, **running(saved(host))})
    assert untrue(rebooted, f"{ISCSI}/{W}/tpgt_{group_of(document)['tag']}", request) == []


def untrue(host, base, request):
    """What was asked for and is not so, read without any of our own readers."""
    served = {}
    for path, value in host.files.items():
        match = re.fullmatch(rf"{base}/lun/lun_(\d+)/[^/]+", path)
        if match and isinstance(value, dict) and "link" in value:
            place = value["link"].split("/core/")[1]
            served[int(match[1])] = (place.split("/", 1)[1].replace(f"{W}:", ""), place)
    facts = {
        "alias": lambda want: host.read(f"{base}/param/TargetAlias").strip() == want,
        "enabled": lambda want: host.read(f"{base}/enable").strip() == str(int(want)),
        "attributes": lambda want: (
            host.read(f"{base}/attrib/login_timeout").strip() == str(want["login_timeout"])
        ),
        "portals": lambda want: all(
            f"{one if ']:' in one or '.' in one else one}{'' if one[-5:] == ':3261' else ':3260'}"
            in host.list(f"{base}/np")
            for one in want
        ),
        "luns": lambda want: all(_lun_is_so(host, base, served, one) for one in want),
        "igroups": lambda want: all(_igroup_is_so(host, base, served, one) for one in want),
    }
    return [key for key, value in request.items() if key in facts and not facts[key](value)]


def _lun_is_so(host, base, served, request):
    found = {at: place for at, (name, place) in served.items() if name == request["name"]}
    if "number" in request:
        found = {at: place for at, place in found.items() if at == request["number"]}
    if request.get("state") == "absent":
        return not found
    kinds = request.get("attributes", {})
    return len(found) == 1 and all(
        host.read(f"{CORE}/{place}/attrib/{key}").strip() == str(value)
        for place in found.values()
        for key, value in kinds.items()
    )


def _igroup_is_so(host, base, served, request):
    for name in request["initiators"]:
        acl = f"{base}/acls/{name}"
        if host.read(f"{acl}/tag").strip() != request["name"]:
            return False
        for lun in request.get("luns", []):
            maps = []
            for own in [one for one in host.list(acl) if one.startswith("lun_")]:
                links = [host.link(f"{acl}/{own}/{one}") for one in host.list(f"{acl}/{own}")]
                number = int(next(one for one in links if one).rpartition("_")[2])
                if served.get(number, ("",))[0] == lun["name"]:
                    maps.append((int(own[4:]), host.read(f"{acl}/{own}/write_protect").strip() == "1"))
            asked = (lun.get("number"), lun.get("read_only"))
            fits = [all(want in (None, is_) for want, is_ in zip(asked, one)) for one in maps]
            if not (not maps if lun.get("state") == "absent" else maps and all(fits)):
                return False
    return True


def unsaved(group, request):
    told = {
        "alias": lambda want: group.get("parameters", {}).get("TargetAlias", "LIO Target") == want,
        "enabled": lambda want: group.get("enable", True) == want,
        "attributes": lambda want: (
            group.get("attributes", {}).get("login_timeout", 15) == want["login_timeout"]
        ),
    }
    return [key for key, value in request.items() if key in told and not told[key](value)]


@many
@given(st.one_of(BROKEN, JSON))
def test_a_document_of_another_shape_is_refused_in_words(document):
    host = LioHost({SAVED: {"text": json.dumps(document), "mode": 0o600}})
    faults = list(shape_faults(document))
    (resource,) = resources_of("target", {"name": W})
    if faults:
        with pytest.raises(Problem) as refused:
            resource.look(host)
        assert faults[0] in str(refused.value)
    else:
        resource.look(host)
    for door in ("target_info", "lun_info"):
        told(door, host)


def told(door, host):
    from importlib import import_module

    module = import_module(f"ansible_collections.lunworks.iscsi.plugins.modules.{door}")
    try:
        module.question({"name": None, "metadata": False, "provider": "lio"}, host)
    except Problem as problem:
        assert str(problem)


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "[]",
        '"text"',
        '{"storage_objects": null}',
        '{"targets": [{}]}',
        "[" * 100000,
        '{"x": ' + "[" * 200 + "]" * 200 + "}",
        '{"targets": [], "targets": []}',
    ],
)
def test_a_file_that_is_no_document_says_so(text):
    (resource,) = resources_of("target", {"name": W, "alias": "x"})
    with pytest.raises(Problem, match="is not (JSON|what targetctl writes)"):
        resource.look(LioHost({SAVED: {"text": text, "mode": 0o600}}))
