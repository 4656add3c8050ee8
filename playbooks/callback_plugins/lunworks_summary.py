# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible loads what is here with each playbook of this folder: their runs end with the summary."""

from __future__ import annotations

from ansible_collections.lunworks.iscsi.plugins.callback import summary


class CallbackModule(summary.CallbackModule):
    """The same, without having to be enabled."""

    CALLBACK_NEEDS_ENABLED = False
