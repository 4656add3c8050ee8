# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of a volume group on tgt names another host: site.yml moves it with its target, and changes nothing afterwards.

The tests of this file go on where the one before ended.
"""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.playbooks import play, played
from ansible_collections.lunworks.iscsi.tests.integration.test_move_declared import (
    HERE,
    SITE,
    TREE,
    WRITE,
    plan_of,
)


@pytest.fixture(scope="module")
def hosts(lab, long_story, storage, compute, spare):
    """Three hosts that know nothing of each other, before and afterwards."""
    found = [storage, compute, spare]
    lab.fresh(*found)
    yield found
    lab.fresh(*found)


@pytest.fixture(scope="module")
def site(lab, hosts):
    """site.yml with the group on one of the hosts, by the data."""
    options = (
        "-i",
        str(HERE / "declared"),
        "-e",
        f"move_volume_group_backup_dir={lab.place.directory}/backups",
    )
    variables = {"target_provider": "tgt", "multipath_presets": ["tgt"]}

    def run(owner, *more, run_with=played, **allowed):
        return run_with(lab, SITE, *options, *more, hosts=hosts, owner=owner.name, **variables, **allowed)

    return run


def test_the_group_moves_with_its_target_there_and_back_and_the_next_run_changes_nothing(
    site, compute, spare
):
    site(compute)
    compute.run(WRITE)
    tree = compute.run(TREE).out
    for old, new in ((compute, spare), (spare, compute)):
        refused = site(new, run_with=play)
        assert refused.rc != 0 and "allow_move=vg_decl" in refused.messages()
        assert any("let '" in line and "in, running and saved" in line for line in plan_of(refused))
        site(new, allow_move="vg_decl")
        assert new.run(TREE).out == tree
        assert "/srv/decl" not in old.read("/etc/fstab")
        assert site(new).changed() == {}
