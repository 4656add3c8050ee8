# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The seam for storage software: what one cannot enforce is refused with its reason, before anything is looked at."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._providers import NAMES
from ansible_collections.lunworks.iscsi.plugins.module_utils._providers import provider as provider_named
from ansible_collections.lunworks.iscsi.plugins.module_utils._san.provider import (
    Ability,
    Provider,
    asked_abilities,
)

NAME = "iqn.2026-11.org.example:data"
DATA = {"name": "data", "path": "/srv/luns/data.img"}
CHAP = {"user": "db", "secret": "a secret of sixteen"}
HOST = {"name": "db", "initiators": ["iqn.2026-11.org.example:db"]}
# What each ability is asked by; two cannot be asked by these options, they say how a change is made.
ASKED = {
    Ability.SEVERAL_LUNS: ({"luns": [DATA, {**DATA, "name": "log"}]}, f"target '{NAME}'"),
    Ability.ISER: (
        {"portals": ["192.0.2.1", {"portal": "192.0.2.2", "iser": True}]},
        f"target '{NAME}', portal '192.0.2.2'",
    ),
    Ability.STABLE_IDENTITY: ({"luns": [{**DATA, "serial": "42424242"}]}, f"target '{NAME}', LUN 'data'"),
    Ability.LUN_BY_INITIATOR: (
        {"luns": [DATA], "igroups": [{"name": "db", "luns": []}]},
        f"target '{NAME}', igroup 'db'",
    ),
    Ability.ALLOW_BY_NAME: ({"igroups": [HOST]}, f"target '{NAME}', igroup 'db'"),
    Ability.NUMBER_BY_INITIATOR: (
        {"igroups": [{"name": "db", "luns": [{"name": "data", "number": 7}]}]},
        f"target '{NAME}', igroup 'db', LUN 'data'",
    ),
    Ability.READ_ONLY_BY_INITIATOR: (
        {"igroups": [{"name": "db", "luns": [{"name": "data", "read_only": True}]}]},
        f"target '{NAME}', igroup 'db', LUN 'data'",
    ),
    Ability.CHAP_BY_INITIATOR: (
        {"igroups": [{"name": "db", "chap": CHAP}, {"name": "web"}]},
        f"target '{NAME}'",
    ),
}


def provider(lacks):
    """One that would fail if it were asked for anything after the refusal."""
    return Provider("paper", converged=None, targets=None, luns=None, wwid=None, lacks=lacks)


@pytest.mark.parametrize("ability", ASKED, ids=lambda ability: ability.name)
def test_what_a_provider_lacks_is_refused_with_its_reason(ability):
    asked, place = ASKED[ability]
    with pytest.raises(Problem) as problem:
        provider(lacks={ability: "its manual says so"}).resource([{"name": NAME, **asked}])
    assert str(problem.value).startswith(
        f"{place} asks for {ability.value}. paper does not have that: its manual says so."
    )
    assert CHAP["secret"] not in str(problem.value)


@pytest.mark.parametrize("ability", ASKED, ids=lambda ability: ability.name)
def test_what_it_lacks_and_nobody_asks_for_does_not_matter(ability):
    target = {"name": NAME, **ASKED[ability][0]}
    asked = {one for one, _place in asked_abilities(target)}
    assert ability in asked
    seen = []
    paper = replace(
        provider(lacks=dict.fromkeys(set(Ability) - asked, "its manual says so")),
        converged=lambda targets, **scope: seen.append((targets, scope)),
    )
    paper.resource([target], force=False)
    assert seen == [([target], {"force": False})]


def test_what_goes_asks_nothing():
    gone = [{**DATA, "state": "absent", "serial": "42424242"}, {**DATA, "name": "log", "state": "absent"}]
    none = provider(lacks=dict.fromkeys(Ability, "its manual says so"))
    none.refuse({"name": NAME, "luns": gone, "igroups": [{**HOST, "state": "absent"}]})


@pytest.mark.parametrize("name", NAMES)
def test_a_provider_says_what_it_lacks_by_the_names_that_there_are(name):
    one = provider_named(name)
    assert one.name == name
    assert set(one.lacks) <= set(Ability)
    assert all(len(why) > 20 for why in one.lacks.values())


# What each software on a host or array lacks of what data can ask for. ALUA is asked by an option that the others share.
LACKED = [
    (name, ability)
    for name in NAMES
    for ability in (*ASKED, Ability.ALUA)
    if ability in provider_named(name).lacks
]


def test_there_are_many_and_lio_has_all_of_them():
    assert len(LACKED) >= 25 and not [ability for name, ability in LACKED if name == "lio"]


@pytest.mark.parametrize("name, ability", LACKED)
def test_what_cannot_be_enforced_is_refused_with_the_name_of_what_can(name, ability):
    alua = {"luns": [{**DATA, "alua": {"group": "far"}}]}
    asked = alua if ability is Ability.ALUA else ASKED[ability][0]
    with pytest.raises(Problem) as problem:
        provider_named(name).refuse({"name": NAME, **asked})
    how = "'provider: lio'" if provider_named(name).on_host else "target_provider: lio"
    assert " asks for " in str(problem.value) and str(problem.value).endswith(f"LIO ({how}), which has it.")
    assert CHAP["secret"] not in str(problem.value)


@pytest.mark.parametrize("name", ["iet", "lio", "tgt"])
def test_booleans_as_text_are_read_alike(name):
    """Templates and quoted words give text; what an igroup lists and a portal that is a dictionary have no type of their own."""
    luns = [{**DATA, "state": "present", "allocation": "sparse", "shared": False}]
    group = {**HOST, "luns": [{"name": "data", "shared": "false"}]}
    asked = {
        "name": NAME,
        "portals": [{"portal": "192.0.2.1", "iser": "no"}],
        "luns": luns,
        "igroups": [group],
    }
    (read,) = provider_named(name).resource([asked]).asked
    assert read["igroups"][0]["luns"][0]["shared"] is False and set(read["iser"].values()) == {False}
    group["luns"] = [{"name": "data", "shared": "yes"}]
    (read,) = provider_named(name).resource([asked]).asked
    assert read["igroups"][0]["luns"][0]["shared"] is True
    group["luns"] = [{"name": "data", "shared": "perhaps"}]
    with pytest.raises(Problem, match="igroup 'db': shared of the LUN 'data' must be true or false"):
        provider_named(name).resource([asked])
