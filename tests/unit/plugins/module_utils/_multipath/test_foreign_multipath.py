# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Laws over multipath.conf as other people write it: their files stay, names stay, a request changes only what it names."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.lunworks.iscsi.plugins.module_utils._converge import Half, _act, _compare
from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._multipath.files import aliases_of
from ansible_collections.lunworks.iscsi.plugins.module_utils._multipath.name import RenameMap
from ansible_collections.lunworks.iscsi.plugins.module_utils._multipath.sections import parse_sections
from ansible_collections.lunworks.iscsi.tests.unit.documents import many
from ansible_collections.lunworks.iscsi.tests.unit.foreign_multipath import (
    BINDINGS,
    DROP_INS,
    GUIDES,
    MAIN,
    WWIDS,
    MultipathHost,
    bindings,
    configurations,
    merged,
    read,
    texts,
)
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils.test_plans import resources_of

OURS = (f"{DROP_INS}/lunworks.conf", f"{DROP_INS}/lunworks-aliases.conf", f"{DROP_INS}/zz-ours.conf")

maps = st.dictionaries(
    st.sampled_from(WWIDS), st.sampled_from(["wwid", "mpatha", "mpathb", "data", "lun_a"]), max_size=3
).map(
    lambda told: {
        wwid: wwid if list(told.values()).index(name) != n or name == "wwid" else name
        for n, (wwid, name) in enumerate(told.items())
    }
)
fstabs = st.sampled_from(
    [
        "",
        "# /dev/mapper/mpatha /srv ext4\n",
        "/dev/mapper/mpatha /srv ext4 _netdev 0 2\n",
        f"/dev/mapper/data /srv xfs\n/dev/disk/by-id/dm-name-{WWIDS[0]} /w xfs\n",
    ]
)
conf_options = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["lunworks", "lunworks", "zz-ours", "10-site"]),
        "presets": st.lists(st.sampled_from(["lio", "ontap", "netbsd", "md3000i"]), unique=True),
        "fallbacks": st.dictionaries(
            st.sampled_from(["no_path_retry", "find_multipaths"]), st.sampled_from(["12", "queue", 5])
        ),
        "defaults": st.dictionaries(
            st.sampled_from(["user_friendly_names", "no_path_retry"]), st.sampled_from([True, False, 12])
        ),
        "state": st.sampled_from(["present", "present", "absent"]),
    }
)
alias_options = st.fixed_dictionaries(
    {
        "aliases": st.lists(
            st.fixed_dictionaries(
                {
                    "wwid": st.sampled_from([*WWIDS, *(f"naa.{wwid[1:].upper()}" for wwid in WWIDS)]),
                    "alias": st.sampled_from(["data", "log", "new", "mpatha", "mpathb", "control"]),
                    "state": st.sampled_from(["present", "present", "absent"]),
                }
            ),
            max_size=2,
        ),
        "purge": st.booleans(),
    }
)


@many
@given(texts)
@example('multipaths {\nmultipath {\nwwid "3600" ! old\nalias  "a ""b"" c" # x\n}\n}')
@example("devices {\nfoo {\n}\ndevice {\nvendor x\n}\n}\n")
@example("overrides\n{\nno_path_retry 5\n}\n")
@example("x" * 1023 + "defaults {\nalias_prefix a\rb\n}")
def test_a_file_is_read_as_multipath_reads_it(text):
    settings_of = {}
    for place, key, said in read(text):
        settings_of.setdefault(place, {}).update({key: said} if key else {})
    flat = []

    def walk(section, place):
        for inner in section.inner:
            flat.append(((*place, inner.name), inner.values))
            walk(inner, (*place, inner.name))

    walk(parse_sections(text), ())
    assert flat == [(tuple(name for name, _n in place), own) for place, own in settings_of.items()]


@pytest.mark.parametrize("text", GUIDES)
def test_the_aliases_of_a_guide(text):
    theirs = {
        wwid: one["alias"] for wwid, one in merged({MAIN: text})["multipaths"].items() if "alias" in one
    }
    assert aliases_of(parse_sections(text)) == theirs


@many
@given(configurations, maps, bindings, fstabs, st.booleans(), conf_options)
def test_a_drop_in_changes_only_what_it_names(files, running, bound, fstab, runs, options):
    obeys(files, running, bound, fstab, runs, "multipath_conf", options)


@many
@given(configurations, maps, bindings, fstabs, st.booleans(), alias_options)
def test_aliases_change_only_what_they_name(files, running, bound, fstab, runs, options):
    host = obeys(files, running, bound, fstab, runs, "multipath_alias", options)
    if host is not None and runs:
        whole = merged(host.texts())["multipaths"]
        for one in options["aliases"]:
            wwid = one["wwid"].lower().replace("naa.", "3")
            if one["state"] == "present":
                assert whole[wwid]["alias"] == one["alias"], "multipath has it"
                assert host.maps().get(wwid, one["alias"]) == one["alias"], "and so has the map"


@many
@given(configurations, maps, bindings, fstabs)
def test_no_request_changes_nothing(files, running, bound, fstab):
    host = MultipathHost({**files, BINDINGS: bound, "/etc/fstab": fstab}, running)
    before = dict(host.files)
    for door, options in (
        ("multipath_conf", {"name": "not-there", "state": "absent"}),
        ("multipath_alias", {"aliases": []}),
    ):
        assert run(host, door, options) == []
    assert host.files == before


def obeys(files, running, bound, fstab, runs, door, options):
    """Run a module twice and judge what became of the host; None when it refused."""
    host = MultipathHost({**files, BINDINGS: bound, "/etc/fstab": fstab}, running, runs)
    before, names = dict(host.files), host.maps()
    try:
        steps = run(host, door, options)
    except Problem:
        assert host.files == before, "what is refused changes nothing"
        return None
    changed = {path for path in {*before, *host.files} if before.get(path) != host.files.get(path)}
    ours = {path for path in changed if path.startswith("/etc/") and path != BINDINGS}
    assert ours <= {*OURS, f"{DROP_INS}/10-site.conf"} and len(ours) <= 1
    assert f"{DROP_INS}/10-site.conf" not in ours or f"{DROP_INS}/10-site.conf" not in files
    renamed = {step.map.wwid: step.name for step in steps if isinstance(step, RenameMap)}
    others = {wwid: name for wwid, name in host.maps().items() if names[wwid] != name}
    assert set(others) == set(renamed)
    assert all(name.startswith(renamed[wwid].rstrip("*")) for wwid, name in others.items())
    for wwid in renamed:
        used = [
            line
            for line in fstab.splitlines()
            if not line.startswith("#") and line.split()[0].endswith(names[wwid])
        ]
        assert used == [], "a name that fstab uses stays"
    assert run(host, door, options) == [], "the second time there is nothing to do"
    return host


class Module:
    """What converge asks of AnsibleModule; a real run."""

    check_mode, _diff, warn, log = False, False, print, print


def run(host, door, options):
    """What a real run does: the steps that were taken."""
    (resource,) = resources_of(door, options)
    seen = resource.look(host)
    want = resource.want(seen)
    steps = resource.plan(seen, want)
    resource.refuse(seen, want, steps)
    if not steps:
        _compare(resource, seen, want, "The host")
        return []
    try:
        _act(Module(), resource, seen, want, steps, host)
    except Half as half:
        raise AssertionError(f"half done: {half}") from half
    return steps
