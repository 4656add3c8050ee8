# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.lunworks.iscsi.plugins.filter.move_answers import move_answers

NOTHING = {"initiator": {}, "use": {}, "groups": {}, "luns": {}, "declared": [], "name": ""}


def test_each_host_has_what_it_answered_and_nothing_of_the_rest():
    said = {"name": "iqn.2026-01.com.example:a"}
    variables = {"a": {"move_volume_group_initiator": said, "ansible_user": "root"}, "store": {}}
    assert move_answers(variables) == {"a": {**NOTHING, "initiator": said}, "store": NOTHING}


def test_declared_targets_are_compared_in_lower_case():
    nodes = [{"target": "IQN.2026-01.com.example:Disk1", "portals": ["10.77.1.11"]}]
    assert move_answers({"a": {"initiator_nodes": nodes}})["a"]["declared"] == [
        "iqn.2026-01.com.example:disk1"
    ]


def test_data_without_nodes_declares_none():
    assert move_answers({"a": {"initiator_nodes": None}}) == {"a": NOTHING}
