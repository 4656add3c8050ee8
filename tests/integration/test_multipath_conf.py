# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._multipath.presets import PRESETS
from ansible_collections.lunworks.iscsi.tests.integration.harness import converges, refused, succeeded

DROP_IN = "/etc/multipath/conf.d/lunworks.conf"
WANTED = {
    "presets": sorted(PRESETS),
    "defaults": {"find_multipaths": "strict", "user_friendly_names": False, "polling_interval": 7},
    "blacklist": {"device": [{"vendor": 'A"B', "product": ".*"}], "wwid": ["^1ATA"]},
    "overrides": {"no_path_retry": 12, "protocol": [{"type": "scsi:iscsi", "fast_io_fail_tmo": 5}]},
}


@pytest.fixture
def bare(compute):
    """A host with multipathd running and no configuration."""
    compute.run(
        "rm -rf /etc/multipath /etc/multipath.conf; systemctl reset-failed multipathd;"
        " systemctl reset-failed multipathd; systemctl start multipathd; multipathd reconfigure"
    )
    yield compute
    compute.run("systemctl stop multipathd multipathd.socket; rm -rf /etc/multipath /etc/multipath.conf")


def daemon_says(host):
    return host.run("multipathd show config").out


def test_a_drop_in_is_written_loaded_and_removed(bare):
    daemon = bare.run("systemctl show -p MainPID multipathd").out
    ran = converges(bare, "multipath_conf", WANTED)
    assert ran["steps"] == [f"Write '{DROP_IN}'", "Have multipathd read its configuration again"]
    config = daemon_says(bare)
    for line in ("polling_interval 7", 'vendor "A""B"', 'product "^VIRTUAL-DISK"', "no_path_retry 12"):
        assert line in config, f"multipathd does not know: {line}"
    assert bare.run("systemctl show -p MainPID multipathd").out == daemon, "the daemon goes on"
    converges(bare, "multipath_conf", {"state": "absent"})
    assert 'vendor "A""B"' not in daemon_says(bare)


def test_what_multipath_does_not_understand_is_refused(bare):
    refused(
        bare,
        "multipath_conf",
        'invalid value for no_path_retry: "banana"',
        defaults={"no_path_retry": "banana", "foo": "bar"},
    )
    for options, message in (
        ({"defaults": {"foo": "bar"}}, "invalid keyword in the defaults section: foo"),
        ({"blacklist": {"wwid": ["("]}}, "parsing failed"),
        ({"multipaths": [{"alias": "nobody"}]}, "missing wwid"),
    ):
        result = bare.module("multipath_conf", check=True, **options)
        assert message in result["msg"]


def test_a_daemon_that_is_behind_its_files_reads_them(bare):
    succeeded(bare, bare.module("multipath_conf", **WANTED))
    bare.run(f'sed -i \'s/polling_interval "7"/polling_interval "9"/\' {DROP_IN} && multipathd reconfigure')
    bare.run(f'sed -i \'s/polling_interval "9"/polling_interval "7"/\' {DROP_IN}')
    ran = succeeded(bare, bare.module("multipath_conf", **WANTED))
    assert ran["steps"] == ["Have multipathd read its configuration again"]
    assert "polling_interval 7" in daemon_says(bare)


def test_a_daemon_that_does_not_run_stays_so(bare):
    bare.run("systemctl stop multipathd multipathd.socket")
    ran = succeeded(bare, bare.module("multipath_conf", **WANTED))
    assert ran["steps"] == [f"Write '{DROP_IN}'"]
    assert bare.run("systemctl is-active multipathd", check=False).out.strip() == "inactive"
