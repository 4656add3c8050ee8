# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The daemon's file on real hosts: only the lines that were asked for differ, and the daemon reads them."""

from __future__ import annotations

import json

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.given_target import each_refused
from ansible_collections.lunworks.iscsi.tests.integration.harness import converges, succeeded

PATH = "/etc/iscsi/iscsid.conf"


@pytest.fixture(autouse=True)
def restored(compute):
    """The distribution's file stands again when a test ends, its mode too."""
    compute.run(f"cp -a {PATH} /root/iscsid.conf.before")
    yield
    compute.run(
        f"cp -a /root/iscsid.conf.before {PATH}; systemctl reset-failed iscsid; systemctl try-restart iscsid.service",
        timeout=150,
    )


def test_settings_are_set_and_all_else_stays(compute):
    compute.run(f"chmod 0644 {PATH}; systemctl start iscsid.service")
    before = compute.read(PATH).splitlines()
    settings = {
        "node.session.timeo.replacement_timeout": 7,
        "iscsid.safe_logout": True,
        "node.session.queue_depth": None,
    }
    pid = compute.run("systemctl show -p MainPID iscsid.service").out
    converges(compute, "iscsid_conf", {"settings": settings})
    after = compute.read(PATH).splitlines()
    assert [line for line in before if line not in after] == [
        line for line in before if line.split(" = ")[0] in settings
    ]
    assert [line for line in after if line not in before] == [
        "iscsid.safe_logout = Yes",
        "node.session.timeo.replacement_timeout = 7",
    ]
    assert compute.run(f"stat -c %a {PATH}").out.strip() == "600"
    assert compute.run("systemctl show -p MainPID iscsid.service").out != pid


def test_a_preset_sets_the_timers_and_what_is_said_beside_it_wins(compute):
    compute.run(f"chmod 0600 {PATH}")
    converges(
        compute,
        "iscsid_conf",
        {"preset": "root_on_iscsi", "settings": {"node.session.timeo.replacement_timeout": 7200}},
    )
    told = compute.run(f"grep -E '^node.*(noop_out|replacement)' {PATH}").out.splitlines()
    assert sorted(told) == [
        "node.conn[0].timeo.noop_out_interval = 0",
        "node.conn[0].timeo.noop_out_timeout = 0",
        "node.session.timeo.replacement_timeout = 7200",
    ]


def test_a_secret_is_in_the_file_and_nowhere_else(compute):
    secrets = {"node.session.auth.password": "twelve-bytes-and-more"}
    result = converges(compute, "iscsid_conf", {"secrets": secrets})
    assert "node.session.auth.password = twelve-bytes-and-more\n" in compute.read(PATH)
    assert "twelve-bytes" not in json.dumps(result)
    assert "twelve-bytes" not in compute.run("journalctl --no-pager --since=-2min").out


def test_one_restart_right_after_another_does_not_hang(compute):
    for depth in (64, 128):
        succeeded(compute, compute.module("iscsid_conf", settings={"node.session.queue_depth": depth}))
    assert compute.run("systemctl is-active iscsid.service").out.strip() == "active"


def test_bad_input_is_refused(compute):
    cases = [
        ({"settings": {"node.session.timeo.replacement_timeout": "banana"}}, "cannot be 'banana'"),
        ({"settings": {"node.sesion.queue_depth": 5}}, "Did you mean 'node.session.queue_depth'"),
        ({"preset": "quick"}, "value of preset must be one of: multipath, direct"),
        (
            {"preset": "direct", "settings": {"node.session.timeo.replacement_timeout": "2 min"}},
            "cannot be '2 min'",
        ),
        ({"settings": {"node.session.auth.password": "twelve-bytes"}}, "belongs in 'secrets'"),
    ]
    each_refused(compute, "iscsid_conf", cases)
