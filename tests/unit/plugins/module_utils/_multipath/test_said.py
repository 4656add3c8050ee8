# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What files of multipath say as options, what of options they say already, and how a host tells it."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._converge import plain
from ansible_collections.lunworks.iscsi.plugins.module_utils._multipath.conf.resource import SECTIONS
from ansible_collections.lunworks.iscsi.plugins.module_utils._multipath.info import tell_multipath
from ansible_collections.lunworks.iscsi.plugins.module_utils._multipath.said import options_of, unsaid
from ansible_collections.lunworks.iscsi.plugins.module_utils._multipath.sections import parse_sections
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

WWID = "36001405165db07e6e1b44f0a4f7613bb"
MAIN = f"""\
defaults {{
\tuser_friendly_names yes
\tno_path_retry queue
}}
blacklist {{
\tdevnode "^sda$"
\tdevnode "^hd"
\tdevice {{
\t\tvendor "ATA"
\t}}
}}
devices {{
\tdevice {{
\t\tvendor "LIO-ORG"
\t\tno_path_retry 12
\t}}
}}
multipaths {{
\tmultipath {{
\t\twwid {WWID}
\t\talias db
\t}}
}}
"""
LATER = """\
defaults {
\tno_path_retry 12
}
overrides {
\tfast_io_fail_tmo 5
\tprotocol {
\t\ttype "scsi:iscsi"
\t\tdev_loss_tmo 60
\t}
}
"""
FILES = [parse_sections(MAIN), parse_sections(LATER)]
SAID = {
    "defaults": {"user_friendly_names": "yes", "no_path_retry": "12"},
    "overrides": {"fast_io_fail_tmo": "5", "protocol": [{"type": "scsi:iscsi", "dev_loss_tmo": "60"}]},
    "blacklist": {"devnode": ["^sda$", "^hd"], "device": [{"vendor": "ATA"}]},
    "blacklist_exceptions": {},
    "devices": [{"vendor": "LIO-ORG", "no_path_retry": "12"}],
    "multipaths": [{"wwid": WWID, "alias": "db"}],
}
NOTHING = {name: option["default"] for name, option in SECTIONS.items()}


def test_files_are_options():
    assert options_of(FILES) == SAID


def test_what_files_say_is_not_said_again():
    assert unsaid(SAID, FILES) == NOTHING
    assert unsaid(SAID, []) == SAID


@pytest.mark.parametrize(
    "asked, left",
    [
        ({"defaults": {"user_friendly_names": True, "no_path_retry": 12}}, {}),
        ({"defaults": {"user_friendly_names": False}}, {"defaults": {"user_friendly_names": False}}),
        ({"defaults": {"no_path_retry": "queue"}}, {"defaults": {"no_path_retry": "queue"}}),
        ({"blacklist": {"devnode": "^hd"}}, {}),
        ({"blacklist": {"devnode": ["^hd", "^sdb"]}}, {"blacklist": {"devnode": ["^sdb"]}}),
        ({"blacklist_exceptions": {"devnode": "^hd"}}, {"blacklist_exceptions": {"devnode": ["^hd"]}}),
        ({"overrides": {"fast_io_fail_tmo": 5}}, {}),
        ({"devices": [{"vendor": "LIO-ORG", "no_path_retry": 12}]}, {}),
        # Behind what is said it would overrule it.
        ({"devices": [{"vendor": "LIO-ORG"}]}, {"devices": [{"vendor": "LIO-ORG"}]}),
        ({"multipaths": [{"wwid": WWID, "alias": "db"}]}, {}),
        ({"multipaths": [{"wwid": WWID}]}, {"multipaths": [{"wwid": WWID}]}),
    ],
)
def test_the_rest_stays(asked, left):
    assert unsaid({**NOTHING, **asked}, FILES) == {**NOTHING, **left}


def test_a_host_tells_its_files_and_its_maps():
    block = "/sys/class/block"
    host = ScriptedHost(
        files={
            "/etc/multipath.conf": MAIN,
            "/etc/multipath/conf.d/lunworks.conf": "# Written by lunworks.iscsi.multipath_conf: changes here are lost.\n"
            + LATER,
            "/etc/multipath/wwids": f"/{WWID}/\n",
            "/run/multipathd.pid": "17\n",
            "/proc/17/comm": "multipathd\n",
            f"{block}/dm-0/dm/uuid": f"mpath-{WWID}\n",
            f"{block}/dm-0/dm/name": "db\n",
            f"{block}/dm-0/slaves/sda": "",
            f"{block}/sda/device/vendor": "LIO-ORG \n",
            f"{block}/sda/device/model": "data            \n",
        }
    )
    told = plain(tell_multipath(host))
    assert told["running"] and told["listed_wwids"] == [WWID]
    assert told["files"] == [
        {"path": "/etc/multipath.conf", "own": False, "aliases": {WWID: "db"}},
        {"path": "/etc/multipath/conf.d/lunworks.conf", "own": True, "aliases": {}},
    ]
    assert told["settings"]["defaults"] == {"user_friendly_names": "yes", "no_path_retry": "queue"}
    (one,) = told["maps"]
    assert (one["name"], one["wwid"], one["vendor"], one["product"]) == ("db", WWID, "LIO-ORG", "data")
    assert one["paths"] == ["/dev/sda"] and host.did == []
