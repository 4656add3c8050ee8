# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock of open-iscsi's database, which iscsiadm takes for each record that it reads or writes (usr/idbm.c, idbm_lock)."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator

from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host, Problem

LOCK = "/run/lock/iscsi/lock"
HELD = "/run/lock/iscsi/lock.write"  # a hard link to the lock; whoever can make it holds the database
PATIENCE = 30  # seconds, as in usr/idbm.c


@contextmanager
def locked(host: Host) -> Iterator[None]:
    """Nobody else reads or writes the database meanwhile."""
    host.mkdir(LOCK.rpartition("/")[0], 0o770)
    if host.stat(LOCK) is None:
        host.write(LOCK, "", 0o600)
    if not host.until(lambda: host.hard_link(LOCK, HELD), PATIENCE, 0.01):
        raise Problem(
            f"The database of open-iscsi has been locked ('{HELD}') for {PATIENCE} seconds. Is an iscsiadm hanging? "
            f"If none runs, a crash left the lock: delete it."
        )
    try:
        yield
    finally:
        host.remove(HELD)
