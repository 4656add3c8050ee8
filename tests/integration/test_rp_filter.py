# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reverse path filters on real kernels."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.tests.integration.harness import converges, refused

OURS = "/etc/sysctl.d/90-iscsi-rp-filter.conf"


NAMES = ("strict0", "strict0.7", "off0")


def set_filters(compute, to):
    for name, setting in zip(NAMES, to):
        compute.run(f"echo {setting} >/proc/sys/net/ipv4/conf/{name}/rp_filter")


@pytest.fixture
def strict(compute):
    """Two interfaces with strict filters, one of them with a dot in its name, and a third without a filter."""
    for name in NAMES:
        compute.run(f"ip link add {name} type dummy")
    set_filters(compute, to=(1, 1, 0))
    yield list(NAMES)
    compute.run(
        f"for i in {' '.join(NAMES)}; do ip link del $i; done; rm -f {OURS} /etc/sysctl.d/99-later.conf"
    )


def value(compute, name):
    return compute.read(f"/proc/sys/net/ipv4/conf/{name}/rp_filter").strip()


def test_strict_is_loosened_now_and_for_good_and_off_stays_off(compute, strict):
    everywhere = value(compute, "all")
    converges(compute, "rp_filter", {"interfaces": strict})
    assert [value(compute, name) for name in strict] == ["2", "2", "0"]
    assert value(compute, "all") == everywhere
    set_filters(compute, to=(1, 1, 0))
    compute.run("/lib/systemd/systemd-sysctl")
    assert [value(compute, name) for name in strict] == ["2", "2", "0"], "systemd reads our file at boot"


def test_a_line_that_is_read_later_is_named(compute, strict):
    compute.write("/etc/sysctl.d/99-later.conf", "net.ipv4.conf.strict0.rp_filter = 1\n")
    refused(compute, "rp_filter", "'/etc/sysctl.d/99-later.conf' sets it again", interfaces=["strict0"])


def test_an_interface_that_is_not_there(compute):
    refused(compute, "rp_filter", "There is no network interface 'eth77'", interfaces=["eth77"])
