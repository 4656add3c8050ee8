# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lost connections in the kernel's log, in words."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.kernel_log import look_losses
from ansible_collections.lunworks.iscsi.plugins.module_utils._timers.conn_errors import CODES, parse_log
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

LOG = """\
[    0.000000] Linux version 6.1.0
[   12.500000]  connection1:0: detected conn error (1022)
[   12.600000]  connection2:0: detected conn error (1020)
[  100.000000][  T123]  connection1:0: detected conn error (1022)
[  105.000000]  session1: session recovery timed out after 5 secs
[  110.000000] sd 2:0:0:0: [sda] rejecting I/O to offline device
[  111.000000]  connection1:0: ping timeout of 5 secs expired, recv timeout 5, last rx 1, last ping 2, now 3
"""


def test_those_of_one_session_and_code_stand_together_the_latest_first():
    found = parse_log(LOG, 1_000_000_000.0)
    assert [(one.session_number, one.code, one.count, one.last) for one in found] == [
        (1, None, 1, "2001-09-09 01:48:25 UTC"),
        (1, 1022, 2, "2001-09-09 01:48:20 UTC"),
        (2, 1020, 1, "2001-09-09 01:46:52 UTC"),
    ]


def test_a_loss_is_said_with_its_meaning_and_what_to_look_at():
    text = parse_log(LOG, 0.0)[1].text("the session of 'db'")
    assert text.startswith(
        "the session of 'db': conn error 1022 (ISCSI_ERR_NOP_TIMEDOUT) 2 times, last at 1970-01-01 00:01:40 UTC: the target did "
        "not answer a ping in time. Where link and storage host are well and only busy, raise noop_out_interval"
    )


@pytest.mark.parametrize("code", range(1, 23))
@pytest.mark.parametrize("base", [0, 1000])
def test_every_code_is_known_with_and_without_its_base(code, base):
    """open-iscsi's README writes 22 for what kernels print as 1022."""
    (one,) = parse_log(f"<6>[ 1.0] connection7:0: detected conn error ({code + base})", 0.0)
    assert (one.code, one.name) == (1000 + code, CODES[code][0]) and one.name.startswith("ISCSI_ERR_")
    assert one.advice.endswith(".") and not one.meaning.endswith(".")


@pytest.mark.parametrize(
    "line, said",
    [
        ("connection7:0: detected conn error (1099)", "a reason that is not among those documented"),
        (
            "session7: session recovery timed out after 120 secs",
            "session recovery timed out once: replacement_timeout",
        ),
    ],
)
def test_a_line_without_a_time_and_an_unknown_code(line, said):
    (one,) = parse_log(line, 5.0)
    assert one.last == "" and said in one.text("it")


@pytest.mark.parametrize("text", ["", "nothing\n", "connection:0: detected conn error (x)\n", "\0\udcff\n"])
def test_what_tells_of_no_loss(text):
    assert parse_log(text, 0.0) == []


def test_a_session_that_is_over_has_no_name_but_its_number():
    host = ScriptedHost({}, {"dmesg": LOG})
    (last, *_others) = look_losses(host)
    assert last["session"] is None and last["text"].startswith(
        "session 1, which is over: session recovery timed out"
    )


class Closed(ScriptedHost):
    def run(self, *argv, **options):
        raise Problem(f"Cannot run '{argv[0]}': No such file or directory.")


@pytest.mark.parametrize("host", [ScriptedHost({}, {"dmesg": {"rc": 1, "err": "not permitted"}}), Closed()])
def test_a_log_that_cannot_be_read_is_none(host):
    assert look_losses(host) is None
