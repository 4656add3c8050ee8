# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which storage software is an array."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.lunworks.iscsi.plugins.module_utils._providers import NAMES, provider
from ansible_collections.lunworks.iscsi.plugins.test.array import array

ROLES = Path(__file__).resolve().parents[4] / "roles"


def test_what_modules_drive_on_the_storage_host_is_none():
    assert [name for name in NAMES if not array(name)] == ["iet", "lio", "netbsd", "tgt"]
    assert not array("nobody's") and not array(None)


@pytest.mark.parametrize("name", NAMES)
def test_each_has_a_role_that_takes_targets(name):
    documented = yaml.safe_load((ROLES / provider(name).role / "meta/argument_specs.yml").read_text())
    assert "target_targets" in documented["argument_specs"]["main"]["options"]
