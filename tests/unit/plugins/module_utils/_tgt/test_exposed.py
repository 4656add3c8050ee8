# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of tgt with secrets that everybody can read."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._tgt.discovery import KEPT
from ansible_collections.lunworks.iscsi.plugins.module_utils._tgt.exposed import look_exposed
from ansible_collections.lunworks.iscsi.plugins.module_utils._tgt.kept import file_of
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils._tgt.test_tgt import (
    CHAP,
    SECRET,
    T,
    done,
    target,
)
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost
from ansible_collections.lunworks.iscsi.tests.unit.tgt_host import TgtHost

FILE = "/etc/tgt/conf.d/hand.conf"


@pytest.mark.parametrize(
    "text, mode, exposed",
    [
        ("<target a>\n  incominguser hand secret\n</target>\n", 0o644, [FILE]),
        ("outgoinguser store secret\n", 0o604, [FILE]),
        ("incomingdiscoveryuser hand secret\n", 0o644, [FILE]),
        ("incominguser hand secret\n", 0o640, []),
        ("# incominguser hand secret\n", 0o644, []),
        ("initiator-name a\n", 0o644, []),
    ],
)
def test_a_file_with_an_account_that_everybody_reads(text, mode, exposed):
    host = ScriptedHost(
        files={FILE: {"text": text, "mode": mode}, "/etc/tgt/targets.conf": "include conf.d/*.conf\n"}
    )
    assert look_exposed(host) == exposed


def test_a_file_that_is_included_from_elsewhere():
    files = {"/etc/tgt/targets.conf": "include /srv/tgt/*.tgt\n"}
    files["/srv/tgt/a.tgt"] = "incomingdiscoveryuser hand secret\n"
    assert look_exposed(ScriptedHost(files=files)) == ["/srv/tgt/a.tgt"]


def test_our_own_files_once_somebody_has_opened_them():
    host = TgtHost()
    done(host, target(chap=CHAP), discovery_chap={"user": "scout", "secret": SECRET})
    assert look_exposed(host) == []
    for path in (KEPT, file_of(T)):
        host.files[path]["mode"] = 0o644
    assert look_exposed(host) == [file_of(T), KEPT]
