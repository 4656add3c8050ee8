# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells a test when a step of a move begins, and waits until the test has done what it wants to do then."""

from __future__ import annotations

import os
import socket

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: at_step
type: aggregate
short_description: stop at the begin of each step of a move
description: For the tests of this collection only.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "at_step"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.step = ""

    def v2_playbook_on_task_start(self, task, is_conditional):
        file = (task.get_path() or "").rpartition(":")[0]
        name = os.path.splitext(os.path.basename(file))[0]
        if "/move_volume_group/tasks/steps/" not in file or name == self.step:
            return
        self.step = name
        with socket.socket(socket.AF_UNIX) as test:
            test.connect(os.environ["AT_STEP_SOCKET"])
            test.sendall(f"{name}\n".encode())
            test.recv(1)  # until the test lets go
