# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""CHAP at discovery with tgt: accounts that are bound to no target, and what brings them back after a boot."""

from __future__ import annotations

import json

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._tgt.boot import PROGRAM
from ansible_collections.lunworks.iscsi.plugins.module_utils._tgt.discovery import KEPT, parse_discovery
from ansible_collections.lunworks.iscsi.plugins.module_utils._tgt.info import tell_targets
from ansible_collections.lunworks.iscsi.plugins.module_utils._tgt.steps.discovery import SetDiscovery
from ansible_collections.lunworks.iscsi.tests.unit import killing
from ansible_collections.lunworks.iscsi.tests.unit.plugins.module_utils._tgt.test_tgt import (
    CHAP,
    OTHER,
    SECRET,
    TGT,
    U,
    completed,
    done,
    run,
    target,
)
from ansible_collections.lunworks.iscsi.tests.unit.tgt_host import TgtHost

SCOUT = {"user": "scout", "secret": SECRET}
BOTH = {**SCOUT, "mutual_user": "array", "mutual_secret": OTHER}
NONE = {"user": "", "secret": ""}
THEIRS = {"/etc/tgt/conf.d/theirs.conf": "incomingdiscoveryuser them theirsecret1234\n"}


ELSEWHERE = {
    "/etc/tgt/targets.conf": "include /srv/tgt\ninclude conf.d/*.conf\n",
    "/srv/tgt/theirs": "incomingdiscoveryuser them theirsecret1234\n",
}


def asked(host, chap, *targets):
    return done(host, *targets, discovery_chap=chap)


def test_it_is_set_live_and_kept_in_a_file_of_root():
    host = TgtHost()
    ran = asked(host, BOTH, target(chap=CHAP))
    hidden = "(not shown)"
    assert ran["state"][0]["discovery_chap"] == {"user": hidden, "mutual_user": hidden, "enforced": True}
    assert host.discovery == {"incoming": ["scout"], "outgoing": "array"}
    assert (host.accounts["scout"], host.accounts["array"]) == (SECRET, OTHER)
    assert json.loads(host.read(KEPT)) == BOTH and host.stat(KEPT).st_mode & 0o777 == 0o600
    assert not [one for one in BOTH.values() if one in json.dumps(ran)], "a user may be the secret"
    assert asked(host, BOTH, target(chap=CHAP))["steps"] == []
    assert done(host, target(chap=CHAP))["steps"] == [], "who does not mention it leaves it"
    told = tell_targets(host, None)
    assert told["drift"] == [] and told["unmanaged"] == []
    assert told["discovery_chap"] == {"user": "scout", "mutual_user": "array", "enforced": True}
    assert not [one for one in (SECRET, OTHER) if one in json.dumps(told)], "users are told, secrets are not"


def test_another_user_or_secret_and_the_end_of_it_leave_no_account():
    host = TgtHost()
    for chap in (SCOUT, {**SCOUT, "secret": OTHER}, BOTH, {"user": "second", "secret": SECRET}):
        assert asked(host, chap)["steps"]
        assert {user: host.accounts[user] for user in host.accounts} == {
            chap["user"]: chap["secret"],
            **({chap["mutual_user"]: chap["mutual_secret"]} if "mutual_user" in chap else {}),
        }
        assert host.discovery["incoming"] in ([chap["user"]], [chap["user"], ""])
        assert asked(host, chap)["steps"] == []
    ran = asked(host, NONE)
    assert (
        ran["steps"][0] == "Ask for no CHAP at discovery any more"
        and ran["state"][0]["discovery_chap"] is None
    )
    assert (host.accounts, host.read(KEPT), host.read(PROGRAM)) == ({}, None, None)
    assert asked(host, NONE)["steps"] == []


def test_a_stopped_tgtd_is_started_and_its_start_brings_what_is_kept():
    host = TgtHost(active=False)
    asked(host, SCOUT)
    assert host.active and host.discovery["incoming"] == ["scout"]
    host.active, host.accounts, host.discovery = False, {}, {"incoming": [], "outgoing": ""}
    assert asked(host, SCOUT)["steps"] == ["Start 'tgt.service', now and at boot"]
    assert host.discovery["incoming"] == ["scout"]
    stopped = TgtHost(active=False)
    assert asked(stopped, NONE)["steps"] == [] and not stopped.active


def test_a_file_that_others_could_read_is_written_anew():
    host = TgtHost()
    asked(host, SCOUT)
    host.files[KEPT]["mode"] = 0o644
    assert asked(host, SCOUT)["steps"] == [
        f"Keep the credentials in '{KEPT}', so that they come back after a boot"
    ]


@pytest.mark.parametrize(
    "chap, host, said",
    [
        ({**SCOUT, "enforced": False}, {}, "Leave enforced out; 'provider: lio' can"),
        ({**SCOUT, "user": "db"}, {}, "A CHAP user of discovery is that of a target too"),
        (
            {**SCOUT, "user": "a secret with blanks"},
            {},
            "The CHAP user of discovery: tgt tells users apart by",
        ),
        ({**BOTH, "mutual_user": "scout"}, {}, "The CHAP user and mutual_user of discovery are the same"),
        (SCOUT, {"files": THEIRS}, "'/etc/tgt/conf.d/theirs.conf' binds CHAP accounts for discovery"),
        (
            SCOUT,
            {"files": ELSEWHERE},
            "'/srv/tgt/theirs' binds CHAP accounts for discovery",
        ),
        (NONE, {"files": THEIRS}, "'/etc/tgt/conf.d/theirs.conf' binds CHAP accounts for discovery"),
    ],
)
def test_what_tgt_cannot_do_is_refused_and_nothing_is_done(chap, host, said):
    there = TgtHost(**host)
    ran = run(there, target(chap=CHAP), discovery_chap=chap)
    assert ran.get("failed") and said in ran["msg"] and there.did == []
    assert SECRET not in ran["msg"] and "with blanks" not in ran["msg"]


def test_accounts_that_somebody_bound_stay_unless_the_data_names_them():
    host = TgtHost(accounts={"them": "the secret of others"})
    host.discovery["incoming"] = ["them"]
    for chap in (SCOUT, NONE):
        assert "somebody bound with tgtadm" in run(host, discovery_chap=chap)["msg"]
    assert host.accounts == {"them": "the secret of others"} and host.did == []
    assert tell_targets(host, None)["unmanaged"] == [
        "Discovery asks for CHAP with accounts that somebody bound by hand."
    ]
    asked(host, {"user": "them", "secret": SECRET})
    assert host.accounts == {"them": SECRET} and host.discovery["incoming"] == ["them"]


def with_theirs(incoming, **more):
    """A host on which somebody's target has these accounts."""
    return TgtHost(targets={1: {"name": U, "incoming": incoming, "addresses": ["ALL"]}}, **more)


@pytest.mark.parametrize("chap", [NONE, {**SCOUT, "user": "second"}])
def test_an_account_that_a_target_of_others_has_too_does_not_go(chap):
    host = with_theirs([])
    asked(host, SCOUT)
    host.targets[1]["incoming"] = ["scout", "them"]
    host.accounts["them"] = "theirs"
    before = len(host.did)
    assert "that of a target too" in run(host, discovery_chap=chap)["msg"]
    assert host.did[before:] == [] and host.targets[1]["incoming"] == ["scout", "them"]


@pytest.mark.parametrize("user, left", [("scout", False), ("second", True)])
def test_an_account_that_somebody_binds_meanwhile_does_not_go(user, left):
    host = with_theirs([], accounts={"scout": SECRET})
    host.discovery["incoming"] = ["scout"]
    step = SetDiscovery(parse_discovery(json.dumps({**BOTH, "user": user})), ("scout",))
    host.targets[1]["incoming"] = ["scout"]
    if left:
        step.take(host)
        assert host.discovery["incoming"] == ["second"]
    else:
        with pytest.raises(Problem, match="Somebody has made"):
            step.take(host)
        assert host.did == []
    assert host.accounts["scout"] == SECRET and host.targets[1]["incoming"] == ["scout"]


def test_an_account_of_others_that_is_bound_nowhere_is_not_replaced():
    host = TgtHost(accounts={"scout": "theirs"})
    assert (
        "tgtd has an account with a CHAP user of discovery already" in run(host, discovery_chap=SCOUT)["msg"]
    )
    stopped = Starting(active=False)
    assert "Somebody has made" in run(stopped, discovery_chap=SCOUT)["msg"]
    assert "tgtd has an account with" in run(stopped, discovery_chap=SCOUT)["msg"]
    assert host.accounts == stopped.accounts == {"scout": "theirs"}


class Starting(TgtHost):
    """Its start brings an account of others."""

    def _start(self):
        super()._start()
        self.accounts["scout"] = "theirs"


@pytest.mark.parametrize("user", ["scout", "second"])
def test_a_tgtd_that_takes_no_secret_keeps_the_old_account(user):
    host = TgtHost()
    asked(host, BOTH)
    host.dialogue = lambda *_given: b""
    ran = run(host, discovery_chap={"user": user, "secret": "a newer secret"})
    assert "so no CHAP secret was sent" in ran["msg"] and "Until" not in ran["msg"]
    assert host.discovery == {"incoming": ["scout"], "outgoing": "array"}


@pytest.mark.parametrize("operation", ["unbind", "delete", "bind"])
def test_a_new_secret_of_the_same_user_that_fails_on_its_way_is_a_change(operation):
    host = TgtHost()
    asked(host, SCOUT)
    host.fails, before = f"--op {operation} --mode account", len(host.did)
    ran = run(host, discovery_chap={**SCOUT, "secret": OTHER})
    assert ran["failed"] and ran["steps"] == []
    assert ran["changed"] is (len(host.did) > before) is (operation != "unbind")
    assert asked(host, {**SCOUT, "secret": OTHER})["changed"] and host.accounts == {"scout": OTHER}


@pytest.mark.parametrize("operation", ["unbind", "delete", "bind"])
def test_a_change_that_fails_says_that_nobody_is_asked_and_not_the_user(operation):
    host = TgtHost()
    asked(host, SCOUT)
    host.fails = f"--op {operation} --mode account"
    after = {"user": "second", "secret": OTHER}
    ran = run(host, discovery_chap=after)
    assert (
        f"tgtadm could not {operation} an account" in ran["msg"] and "may ask nobody for CHAP" in ran["msg"]
    )
    assert "second" not in ran["msg"] and "scout" not in ran["msg"]
    asked(host, after)
    assert host.accounts == {"second": OTHER} and json.loads(host.read(KEPT))["user"] == "second"


@pytest.mark.parametrize("operation", ["unbind", "bind"])
def test_so_is_one_of_a_target(operation):
    host = TgtHost()
    done(host, target(chap=CHAP))
    host.fails = f"--op {operation} --mode account"
    ran = run(host, target(chap={**CHAP, "secret": "a newer secret"}))
    assert ran["failed"] and ran["changed"] and ran["steps"] == [] and "sessions go on" in ran["msg"]
    done(host, target(chap={**CHAP, "secret": "a newer secret"}))


def test_a_target_does_not_get_the_user_of_discovery():
    host = TgtHost()
    asked(host, {**SCOUT, "user": "db"})
    ran = run(host, target(chap=CHAP))
    assert "A CHAP user of discovery is that of a target too" in ran["msg"] and host.targets == {}


@pytest.mark.parametrize("before", [NONE, SCOUT, BOTH])
def test_a_run_that_is_killed_at_any_change_is_healed_by_the_next(before):
    after = {"user": "second", "secret": OTHER, "mutual_user": "store", "mutual_secret": SECRET}

    def resources():
        return [TGT.resource([completed(target(chap=CHAP))], discovery_chap=after)]

    def there():
        host = TgtHost()
        asked(host, before)
        return host

    watched = killing.Mortal(there())
    killing.run(resources, watched)
    assert len(watched.changing) > 4
    for end in watched.changing:
        host = there()
        killing.healed(resources, host, end)
        assert host.discovery["incoming"][:1] == ["second"] and host.discovery["outgoing"] == "store"
        assert {"second": OTHER, "store": SECRET}.items() <= host.accounts.items()
        assert json.loads(host.read(KEPT)) == after, f"killed before call {end}"
        assert host.accounts.keys() == {"second", "store", "db", "st"}, f"killed before call {end}"


def test_no_secret_goes_to_a_tgtd_that_logs_it():
    host = TgtHost()
    host.debug = True
    assert "debug: on" in run(host, discovery_chap=SCOUT)["msg"] and host.did == []


def test_what_of_others_a_start_brings_is_no_change_by_somebody(monkeypatch):
    said = []
    monkeypatch.setattr(killing.Module, "warn", lambda _self, text: said.append(text))
    files = {path: f"{text}<target {U}>\n</target>\n" for path, text in THEIRS.items()}
    host = BringsTheirs(files=files, active=False)
    ran = done(host, target(chap=CHAP))
    assert "Start 'tgt.service', now and at boot" in ran["steps"] and said == []
    assert host.discovery["incoming"] == ["them"] and done(host, target(chap=CHAP))["steps"] == []


class BringsTheirs(TgtHost):
    """Its start brings accounts that a file of others binds."""

    def _start(self):
        theirs = {path: self.files.pop(path) for path in THEIRS}
        super()._start()
        self.files.update(theirs)
        self.accounts["them"], self.discovery["incoming"] = "theirsecret1234", ["them"]
        self.targets[7] = self._new(7, U)
