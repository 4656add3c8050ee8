# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers of people and of their files, however long, end in a value or in a sentence."""

from __future__ import annotations

import json

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._net.rp_filter import kernel_number
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.drift import outdated
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils.test_plans import resources_of

LONG = "9" * 5000  # more digits than int() takes
LATE = 10**400  # more seconds than a float holds
TARGET = "iqn.2026-01.com.example:t"


@pytest.mark.parametrize(
    "module, options, told",
    [
        (
            "igroup",
            {"target": TARGET, "name": "g", "luns": [{"name": "a", "number": LONG}]},
            "is not a LUN number",
        ),
        (
            "igroup",
            {"target": TARGET, "name": "g", "luns": [{"name": "a", "number": "\u0663"}]},
            "is not a LUN number",
        ),
        ("lun", {"target": TARGET, "name": "a", "number": LATE}, "is not a LUN number"),
        ("multipath_paths", {"timeout": LATE}, "is not a time in seconds from 1 to 3600"),
        ("multipath_paths", {"wait": LATE}, "is not a time in seconds from 0 to 3600"),
        ("disk", {"wwid": "36001405a000000000000000000000000", "timeout": LATE}, "is not a time in seconds"),
        ("rescan", {"timeout": LATE}, "is not a time in seconds from 1 to 3600"),
        ("rescan", {"wait": LATE}, "is not a time in seconds from 0 to 3600"),
        ("relogin", {"targets": [TARGET], "timeout": LATE}, "The timeout is 1 to 3600 seconds"),
        ("lab_host", {"name": "a", "timeout": LATE}, "is not a time in seconds from 1 to 3600"),
    ],
)
def test_an_option_is_refused(module, options, told):
    with pytest.raises(Problem, match=told):
        resources_of(module, options)


@pytest.mark.parametrize("text", [LONG, "0x" + "f" * 5000, "0" + "7" * 5000])
def test_a_number_of_sysctl_d_is_no_longer_than_the_kernel_takes(text):
    assert json.dumps(kernel_number(text))


def test_a_number_in_a_record_is_read_as_open_iscsi_reads_it():
    burst = "node.session.iscsi.MaxBurstLength"
    assert outdated({burst: LONG}, {burst: "262144"}) == []
