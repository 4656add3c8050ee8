# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.lunworks.iscsi.plugins.filter.min_paths import min_paths

A, B = "iqn.2026-01.com.example:a", "iqn.2026-01.com.example:b"
TWO = ["10.77.1.11", "10.77.2.11:3260"]


@pytest.mark.parametrize(
    "nodes, paths",
    [
        ([], 1),
        (None, 1),
        ([{"target": A, "portals": TWO}], 2),
        ([{"target": A, "portals": TWO}, {"target": B, "state": "absent"}], 2),
        ([{"target": A, "portals": TWO}, {"target": B, "portals": TWO[:1], "state": "absent"}], 2),
        ([{"target": A, "portals": TWO}, {"target": B, "portals": TWO[:1], "logged_in": False}], 2),
        ([{"target": A, "portals": TWO}, {"target": B, "portals": TWO[:1], "state": "present"}], 1),
        ([{"target": A, "portals": TWO[:1], "ifaces": ["san1", "san2"]}], 2),
        (
            [
                {"target": A, "portals": TWO[:1], "ifaces": ["san1"]},
                {"target": A.upper(), "portals": TWO[1:]},
            ],
            2,
        ),
        ([{"target": A, "portals": ["10.77.1.11", "10.77.1.11:3260"]}], 1),
        ([{"target": A, "portals": ["store1.example.com", "STORE1.example.com:3260", "10.77.1.11"]}], 2),
    ],
)
def test_the_paths_of_the_target_that_has_the_fewest(nodes, paths):
    assert min_paths(nodes) == paths


@pytest.mark.parametrize(
    "nodes", ["x", [1], [{"target": A}], [{"portals": TWO}], [{"target": A, "portals": ["x y"]}]]
)
def test_what_are_no_nodes(nodes):
    with pytest.raises(AnsibleFilterError, match="initiator_nodes is a list of nodes"):
        min_paths(nodes)
