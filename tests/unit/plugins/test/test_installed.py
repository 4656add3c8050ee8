# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a collection is installed."""

from __future__ import annotations

from ansible_collections.lunworks.iscsi.plugins.test.installed import installed


def test_this_collection_is_and_nobodys_is_not():
    assert installed("lunworks.iscsi")
    assert not installed("lunworks.nothing") and not installed("nobody.nothing")
