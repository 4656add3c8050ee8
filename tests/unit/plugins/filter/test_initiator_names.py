# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.lunworks.iscsi.plugins.filter.duplicate_initiator_names import (
    duplicate_initiator_names,
)
from ansible_collections.lunworks.iscsi.plugins.filter.to_initiator_name import to_initiator_name

IQN = "iqn.2026-01.com.example"


@pytest.mark.parametrize(
    "host, authority, name",
    [
        ("db-a", IQN, f"{IQN}:db-a"),
        ("DB-A.example.com", IQN, f"{IQN}:db-a.example.com"),
        ("db-a", f"{IQN}:fleet1:", f"{IQN}:fleet1:db-a"),
        ("10.0.0.1", f" {IQN.upper()} ", f"{IQN}:10.0.0.1"),
    ],
)
def test_a_name_is_made_of_the_authority_and_the_host(host, authority, name):
    assert to_initiator_name(host, authority) == name


@pytest.mark.parametrize(
    "host, authority, said",
    [
        ("db_a", IQN, "No iSCSI name can be made of the host name 'db_a'"),
        ("", IQN, "No iSCSI name can be made of the host name ''"),
        ("db a", IQN, "No iSCSI name can be made of the host name 'db a'"),
        ("x" * 223, IQN, "at most 223 bytes"),
        ("db-a", "iqn.2026-13.com.example", "The naming authority is not valid"),
        ("db-a", "iqn.example", "The naming authority is not valid"),
        ("db-a", "com.example", "'com.example' is not a naming authority"),
        ("db-a", "naa.5000000000000001", "set names of the forms eui. and naa. by hand"),
        ("db-a", "", "'' is not a naming authority"),
    ],
)
def test_what_gives_no_name_is_refused_with_a_reason(host, authority, said):
    with pytest.raises(AnsibleFilterError) as refused:
        to_initiator_name(host, authority)
    assert said in str(refused.value)


def answer(name, sessions=(), iface=None):
    ifaces = {"default": {}, "san1": {"iface.initiatorname": iface}} if iface else {"default": {}}
    return {"name": name, "ifaces": ifaces, "sessions": [{"initiator": one} for one in sessions]}


def test_hosts_with_names_of_their_own_are_no_twins():
    assert duplicate_initiator_names({"a": answer(f"{IQN}:a", [f"{IQN}:a"]), "b": answer(None, [""])}) == []


@pytest.mark.parametrize(
    "twin",
    [
        answer(f"{IQN}:A"),
        answer(f"{IQN}:b", [f"{IQN}:a"]),
        answer(f"{IQN}:b", iface=f"{IQN}:a"),
    ],
    ids=["a cloned file", "a session under an old name", "an iface"],
)
def test_a_name_that_two_hosts_give_is_told_once(twin):
    (told,) = duplicate_initiator_names({"a": answer(f"{IQN}:a", [f"{IQN}:a"]), "b": twin})
    assert told.startswith(f"The initiator name '{IQN}:a' is used by 'a' and 'b'")


def test_what_is_no_answer_is_refused():
    with pytest.raises(AnsibleFilterError, match="must be the answers of initiator_info"):
        duplicate_initiator_names({"a": {}})
