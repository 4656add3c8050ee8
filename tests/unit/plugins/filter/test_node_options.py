# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.lunworks.iscsi.plugins.filter.node_options import RETRIES, node_options

A = {"target": "iqn.2026-01.com.example:a", "portals": ["10.77.1.11"]}
B = {**A, "target": "iqn.2026-01.com.example:b"}
DEFAULTS = {"startup": "automatic", "logged_in": True, "settings": {RETRIES: 8}}


def test_an_entry_gets_the_defaults_of_the_role():
    assert node_options([A]) == [{**DEFAULTS, **A}]


@pytest.mark.parametrize(
    "own, said",
    [
        ({"startup": "manual"}, {"startup": "manual"}),
        ({"logged_in": False}, {"logged_in": False}),
        ({"preset": "direct"}, {"preset": "direct"}),
        ({"settings": {RETRIES: 1}}, {"settings": {RETRIES: 1}}),
        (
            {"settings": {"node.session.nr_sessions": 2}},
            {"settings": {RETRIES: 8, "node.session.nr_sessions": 2}},
        ),
        (
            {"chap": {"user": "db", "secret": "twelve bytes"}},
            {"chap": {"user": "db", "secret": "twelve bytes"}},
        ),
    ],
)
def test_what_an_entry_says_itself_takes_precedence(own, said):
    assert node_options([{**A, **own}], "multipath") == [{**DEFAULTS, "preset": "multipath", **A, **said}]


REPLACEMENT, PINGS = "node.session.timeo.replacement_timeout", "node.conn[0].timeo.noop_out_interval"


@pytest.mark.parametrize(
    "own, preset, said",
    [
        ({}, "multipath", {REPLACEMENT: 9}),
        ({"settings": {REPLACEMENT: 7}}, "multipath", {REPLACEMENT: 7}),
        ({"preset": "direct"}, "multipath", {}),
        ({}, None, {}),
    ],
)
def test_what_the_file_says_instead_of_the_preset_the_records_say_too(own, preset, said):
    given = {REPLACEMENT: 9, "node.session.queue_depth": 64, PINGS: None}
    (node,) = node_options([{**A, **own}], preset, settings=given)
    assert node["settings"] == {RETRIES: 8, **said}


@pytest.mark.parametrize("seconds, retries", [(0, 1), (14, 1), (30, 2), (120, 8), ("300", 20)])
def test_a_login_at_boot_is_retried_for_so_long(seconds, retries):
    (node,) = node_options([A], login_timeout_at_boot=seconds)
    assert node["settings"] == {RETRIES: retries}


def test_what_must_not_be_there_comes_last_and_gets_no_defaults():
    gone = {**A, "state": "absent"}
    assert node_options([gone, {**B, "state": "present"}]) == [{**DEFAULTS, **B, "state": "present"}, gone]


def test_an_entry_that_occurs_twice_is_one():
    assert node_options([A, B, dict(A)]) == [{**DEFAULTS, **A}, {**DEFAULTS, **B}]


def test_settings_that_are_null_are_as_if_omitted():
    assert node_options([{**A, "settings": None}]) == [{**DEFAULTS, **A}]


def test_settings_of_the_file_must_be_a_dictionary():
    with pytest.raises(AnsibleFilterError, match="must be a dictionary of keys of iscsid.conf, not 'abc'"):
        node_options([A], "multipath", settings="abc")


def test_the_data_is_left_as_it_is():
    own = {"node.session.nr_sessions": 2}
    node_options([{**A, "settings": own}])
    assert own == {"node.session.nr_sessions": 2}
