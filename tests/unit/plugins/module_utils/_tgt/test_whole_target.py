# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""tgt shows all LUNs of a target to each of its initiators: nobody gets one that nothing says they have."""

from __future__ import annotations

from ansible_collections.lunworks.iscsi.tests.unit import killing
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils._tgt.test_tgt import (
    T,
    done,
    made,
    run,
    served,
    target,
)
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils.test_plans import resources_of

NEW = {"name": "c", "path": "/srv/luns/c.img", "size": "64m"}


def refused(host, act):
    before = served(host)
    result = act()
    assert "would not have the LUN 'c'" in result.get("msg", ""), result
    assert served(host) == before


def test_a_new_lun_is_not_shown_to_initiators_whose_igroup_does_not_have_it():
    host = made(target())
    host.process += 1
    options = {"provider": "tgt", "target": T, **NEW}
    refused(host, lambda: killing.run(lambda: resources_of("lun", options), host))
    refused(host, lambda: run(host, {"name": T, "luns": [NEW]}))
    refused(host, lambda: run(host, {"name": T, "luns": [NEW], "igroups": [{"name": "g"}]}))


def test_a_new_lun_that_the_igroups_are_given_or_without_igroups_is_served():
    host = made(target())
    done(host, {"name": T, "luns": [NEW], "igroups": [{"name": "g", "luns": ["c"]}]})
    assert sorted(host.targets[1]["luns"]) == [1, 2, 3]
    host = made({"name": T, "portals": ["192.0.2.1"]})
    host.process += 1
    options = {"provider": "tgt", "target": T, **NEW}
    assert killing.run(lambda: resources_of("lun", options), host)["changed"]
