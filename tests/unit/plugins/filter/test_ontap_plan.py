# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plans for an SVM of ONTAP, carried out on the double of its API: what is done, what is refused, what stays as it was."""

from __future__ import annotations

import copy
import re

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.lunworks.iscsi.plugins.filter.eseries_plan import eseries_plan
from ansible_collections.lunworks.iscsi.plugins.filter.ontap_plan import ontap_plan
from ansible_collections.lunworks.iscsi.plugins.plugin_utils._ontap.refuse import rounded
from ansible_collections.lunworks.iscsi.plugins.plugin_utils._ontap.seen import READ
from ansible_collections.lunworks.iscsi.tests.unit.ontap_double import Cluster, Refused, nested

GIB = 1 << 30
IQN = "iqn.2026-01.com.example"
A, B = f"{IQN}:db-a", f"{IQN}:db-b"
CHAP = {"user": "db", "secret": "a secret of sixteen"}
MUTUAL = {**CHAP, "mutual_user": "filer", "mutual_secret": "another of sixteen"}
NO_CHAP = {"user": "", "secret": ""}
SVM = "svm1"


def target(*groups, luns=None, **more):
    found = luns or [{"name": "db0", "size": "1g", "number": 3}, {"name": "db1", "size": "2g"}]
    own = {"name": Cluster.target_of(SVM), "luns": found, "igroups": list(groups)}
    return {**own, "portals": ["10.77.1.21", "10.77.2.21"], **more}


def igroup(name="db-a", initiators=(A,), luns=("db0", "db1"), **more):
    return {"name": name, "initiators": list(initiators), "luns": list(luns), **more}


@pytest.fixture(name="cluster")
def new_cluster():
    cluster = Cluster()
    cluster.add_svm(SVM)
    cluster.add_svm("svm2", addresses=())
    return cluster


def plan(cluster, *targets, **options):
    info = {what: cluster.records(what, {}) for what in READ}
    return ontap_plan(copy.deepcopy(list(targets)), info, svm=SVM, volume="san", **options)


def carried_out(cluster, *targets, **options):
    """What was done, once all of it is done; after that, nothing is to be done."""
    planned = plan(cluster, *targets, **options)
    assert planned["faults"] == []
    for call in [*planned["service"], *planned["chap"], *planned["steps"]]:
        query = {key: str(value) for key, value in call["query"].items()}
        cluster.call(call["method"], call["api"], query, nested(call["body"]))
    again = plan(cluster, *targets, **{**options, "secrets": "on_create"})
    assert (again["faults"], again["say"]) == ([], [])
    return planned["say"]


def faults(cluster, *targets, **options):
    """Why nothing is done."""
    before = len(cluster.calls)
    found = plan(cluster, *targets, **options)["faults"]
    assert found and len(cluster.calls) == before
    return " ".join(found)


def maps(cluster, svm=SVM):
    return {
        (one["igroup"]["name"], one["lun"]["name"]): one["logical_unit_number"]
        for one in cluster.of("protocols/san/lun-maps", svm)
    }


def size_of(cluster, name):
    return {one["name"]: one["space"]["size"] for one in cluster.of("storage/luns", SVM)}[f"/vol/san/{name}"]


def initiators(cluster, name):
    groups = {one["name"]: one["initiators"] for one in cluster.of("protocols/san/igroups", SVM)}
    return [one["name"] for one in groups[name]]


def test_everything_is_created_with_access_last(cluster):
    assert carried_out(cluster, target(igroup(chap=MUTUAL))) == [
        f"Require CHAP of '{A}', as 'db'.",
        "Create the LUN '/vol/san/db0' of 1073741824 bytes.",
        "Create the LUN '/vol/san/db1' of 2147483648 bytes.",
        f"Create the igroup 'db-a' of '{A}'.",
        "Map the LUN '/vol/san/db0' to the igroup 'db-a' as LUN 3.",
        "Map the LUN '/vol/san/db1' to the igroup 'db-a' under a free number.",
    ]
    assert maps(cluster) == {("db-a", "/vol/san/db0"): 3, ("db-a", "/vol/san/db1"): 0}
    assert cluster.secrets == {
        (SVM, A, "inbound"): CHAP["secret"],
        (SVM, A, "outbound"): MUTUAL["mutual_secret"],
    }


def test_the_wwid_of_a_lun_is_made_of_its_serial(cluster):
    carried_out(cluster, target(igroup()))
    (lun, _other) = cluster.of("storage/luns", SVM)
    wwids = plan(cluster, target(igroup()))["wwids"][Cluster.target_of(SVM)]
    assert wwids["db0"] == "3600a0980" + lun["serial_number"].encode().hex() and len(wwids["db0"]) == 33


def test_a_lun_is_thin_unless_it_is_allocated_in_full(cluster):
    luns = [{"name": "thin", "size": "1g"}, {"name": "full", "size": "1g", "allocation": "full"}]
    carried_out(cluster, target(luns=luns))
    reserved = {
        one["name"]: one["space"]["guarantee"]["requested"] for one in cluster.of("storage/luns", SVM)
    }
    assert reserved == {"/vol/san/thin": False, "/vol/san/full": True}


def test_a_lun_is_where_its_path_says(cluster):
    luns = [{"name": "db0", "size": "1g", "path": "/vol/san/qtree1/data"}]
    carried_out(cluster, target(igroup(luns=["db0"]), luns=luns))
    assert maps(cluster) == {("db-a", "/vol/san/qtree1/data"): 0}


def test_a_lun_grows_and_an_initiator_logged_in_does_not_matter(cluster):
    carried_out(cluster, target(igroup()))
    cluster.log_in(SVM, A)
    luns = [{"name": "db0", "size": "3g", "number": 3}, {"name": "db1", "size": "2g"}]
    said = carried_out(cluster, target(igroup(), luns=luns))
    assert said == [f"Grow the LUN '/vol/san/db0' from {said[0].split()[5]} to {3 * GIB} bytes."]
    assert 3 * GIB <= size_of(cluster, "db0") < 3 * GIB + (8 << 20)


def test_a_size_that_ontap_rounded_up_is_right_and_a_smaller_one_refused(cluster):
    carried_out(cluster, target(igroup()))
    assert size_of(cluster, "db1") > 2 * GIB
    smaller = [{"name": "db0", "size": "1g"}, {"name": "db1", "size": "1.5g"}]
    assert "A LUN is not made smaller" in faults(cluster, target(igroup(), luns=smaller), force=True)


def test_300_gib_are_what_the_reference_of_ontap_makes_of_it(cluster):
    carried_out(cluster, target(luns=[{"name": "db0", "size": "300g"}]))
    cluster.of("storage/luns", SVM)[0]["space"]["size"] = 322163441664
    assert plan(cluster, target(luns=[{"name": "db0", "size": "300g"}]))["say"] == []


def test_no_rounding_explains_gigabytes():
    assert rounded(10 << 40) < (10 << 40) + GIB
    assert rounded(300 * GIB) > 322163441664  # storage/luns in the reference of ONTAP's REST API


def test_a_new_secret_of_the_same_user_is_written_when_asked_for(cluster):
    carried_out(cluster, target(igroup(chap=CHAP)))
    new = target(igroup(chap={**CHAP, "secret": "a new secret of it"}))
    assert plan(cluster, new)["say"] == []  # it cannot be seen
    told = carried_out(cluster, new, secrets="always")
    assert told == [f"Require CHAP of '{A}', as 'db', with the secret of the data."]
    assert cluster.secrets[SVM, A, "inbound"] == "a new secret of it"


def test_only_chap_is_written_when_only_chap_is_asked_for(cluster):
    carried_out(cluster, target(igroup(chap=CHAP)))
    other = target(
        igroup(initiators=[A, B], chap=MUTUAL), luns=[{"name": "db0", "size": "9g"}, {"name": "db1"}]
    )
    planned = plan(cluster, other, only_chap=True, secrets="always")
    assert planned["steps"] == planned["service"] == planned["faults"] == []
    assert [call["method"] for call in planned["chap"]] == ["PATCH", "POST"]


def test_chap_needs_initiators_and_an_igroup_named_after_one_has_it(cluster):
    assert "Name its initiators" in faults(cluster, target({"name": "db-a", "chap": CHAP}))
    assert "Name its initiators" in faults(cluster, target(igroup(initiators=[], chap=CHAP)))
    assert carried_out(cluster, target({"name": A, "luns": ["db0"], "chap": CHAP}))[:1] == [
        f"Require CHAP of '{A}', as 'db'."
    ]
    assert initiators(cluster, A) == [A]


def test_another_user_is_written_without_asking(cluster):
    carried_out(cluster, target(igroup(chap=CHAP)))
    other = target(igroup(chap={**CHAP, "user": "db2"}))
    assert carried_out(cluster, other) == [f"Require CHAP of '{A}', as 'db2', with the secret of the data."]


def test_the_same_initiator_on_another_svm_is_another_one(cluster):
    cluster.create_credential(nested({"svm.name": "svm2", "initiator": A, "authentication_type": "none"}))
    carried_out(cluster, target(igroup(chap=CHAP)))
    kinds = [
        (one["svm"]["name"], one["authentication_type"])
        for one in cluster.tables["protocols/san/iscsi/credentials"]
        if one["initiator"] == A
    ]
    assert kinds == [("svm2", "none"), (SVM, "chap")]


def test_no_chap_is_said_where_there_was_some_and_where_the_default_asks_for_it(cluster):
    carried_out(cluster, target(igroup(chap=CHAP)))
    assert carried_out(cluster, target(igroup(chap=NO_CHAP))) == [f"Require no CHAP of '{A}'."]
    default = cluster.of("protocols/san/iscsi/credentials", SVM)[0]
    default["authentication_type"] = "deny"
    more = target(igroup(chap=NO_CHAP), igroup("db-b", [B], [], chap=NO_CHAP))
    assert f"Require no CHAP of '{B}'." in carried_out(cluster, more)


def test_an_initiator_joins_and_with_purge_the_others_leave(cluster):
    luns = [{"name": "db0", "size": "1g", "shared": True}]
    carried_out(cluster, target(igroup(luns=["db0"]), luns=luns))
    both = target(igroup(initiators=[A, B], luns=["db0"]), luns=luns)
    assert carried_out(cluster, both) == [f"Add '{B}' to the igroup 'db-a'."]
    alone = target(igroup(initiators=[B], luns=["db0"]), luns=luns)
    assert carried_out(cluster, alone) == []
    cluster.log_in(SVM, A)
    assert f"Refused: Remove the initiator '{A}'" in faults(cluster, alone, purge=True)
    assert carried_out(cluster, alone, purge=True, force=True) == [
        f"Remove the initiator '{A}' from the igroup 'db-a'."
    ]
    assert initiators(cluster, "db-a") == [B] and maps(cluster) == {("db-a", "/vol/san/db0"): 0}


def test_a_map_gets_another_number_when_nobody_is_logged_in(cluster):
    carried_out(cluster, target(igroup()))
    other = target(igroup(luns=[{"name": "db0", "number": 7}, "db1"]))
    cluster.log_in(SVM, A)
    assert f"where it is LUN 3. Logged in: '{A}'." in faults(cluster, other)
    assert carried_out(cluster, other, force=True) == [
        "Unmap the LUN '/vol/san/db0' from the igroup 'db-a', where it is LUN 3.",
        "Map the LUN '/vol/san/db0' to the igroup 'db-a' as LUN 7.",
    ]


def test_two_luns_exchange_their_numbers(cluster):
    first = igroup(luns=[{"name": "db0", "number": 1}, {"name": "db1", "number": 2}])
    carried_out(cluster, target(first))
    second = igroup(luns=[{"name": "db0", "number": 2}, {"name": "db1", "number": 1}])
    carried_out(cluster, target(second))
    assert maps(cluster) == {("db-a", "/vol/san/db0"): 2, ("db-a", "/vol/san/db1"): 1}


def test_a_lun_that_goes_is_unmapped_and_deleted_only_when_that_is_said(cluster):
    carried_out(cluster, target(igroup()))
    gone = target(
        igroup(luns=["db1"]), luns=[{"name": "db0", "state": "absent"}, {"name": "db1", "size": "2g"}]
    )
    cluster.log_in(SVM, A)
    assert f"Logged in: '{A}'" in faults(cluster, gone)
    cluster.tables["protocols/san/iscsi/sessions"].clear()
    assert carried_out(cluster, gone) == [
        "Unmap the LUN '/vol/san/db0' from the igroup 'db-a', where it is LUN 3."
    ]
    assert size_of(cluster, "db0")
    assert carried_out(cluster, gone, delete_luns=True) == ["Delete the LUN '/vol/san/db0' with its data."]
    assert [one["name"] for one in cluster.of("storage/luns", SVM)] == ["/vol/san/db1"]


def test_an_igroup_that_goes_leaves_the_luns(cluster):
    carried_out(cluster, target(igroup()))
    gone = target({"name": "db-a", "state": "absent"})
    assert carried_out(cluster, gone) == [
        "Unmap the LUN '/vol/san/db0' from the igroup 'db-a', where it is LUN 3.",
        "Unmap the LUN '/vol/san/db1' from the igroup 'db-a', where it is LUN 0.",
        "Delete the igroup 'db-a'.",
    ]
    assert len(cluster.of("storage/luns", SVM)) == 2


def test_an_entry_of_an_igroup_that_goes_is_its_map(cluster):
    carried_out(cluster, target(igroup()))
    less = target(igroup(luns=[{"name": "db0", "state": "absent"}, "db1"]))
    carried_out(cluster, less)
    assert maps(cluster) == {("db-a", "/vol/san/db1"): 0}


def test_ontap_itself_does_not_delete_what_was_mapped_meanwhile(cluster):
    carried_out(cluster, target(igroup()))
    gone = target(
        igroup(luns=["db1"]), luns=[{"name": "db0", "state": "absent"}, {"name": "db1", "size": "2g"}]
    )
    *_unmap, delete = plan(cluster, gone, delete_luns=True)["steps"]
    with pytest.raises(Refused, match="mapped"):
        cluster.call(delete["method"], delete["api"], delete["query"], {})


def test_what_others_made_stays(cluster):
    carried_out(cluster, target(igroup()))
    cluster.create_lun(
        nested({"svm.name": SVM, "name": "/vol/san/other", "os_type": "vmware", "space.size": GIB})
    )
    cluster.create_igroup(nested({"svm.name": SVM, "name": "esx", "os_type": "vmware"}))
    cluster.create_map(nested({"svm.name": SVM, "lun.name": "/vol/san/other", "igroup.name": "esx"}))
    kept = copy.deepcopy([cluster.of(what, SVM) for what in READ])
    assert carried_out(cluster, target(igroup()), purge=True, delete_luns=True) == []
    assert [cluster.of(what, SVM) for what in READ] == kept


def test_purge_takes_the_maps_that_a_named_igroup_has_besides(cluster):
    carried_out(cluster, target(igroup()))
    cluster.create_lun(
        nested({"svm.name": SVM, "name": "/vol/san/other", "os_type": "linux", "space.size": GIB})
    )
    cluster.create_map(nested({"svm.name": SVM, "lun.name": "/vol/san/other", "igroup.name": "db-a"}))
    assert plan(cluster, target(igroup()))["say"] == []
    assert carried_out(cluster, target(igroup()), purge=True) == [
        "Unmap the LUN '/vol/san/other' from the igroup 'db-a', where it is LUN 1."
    ]


def test_a_service_is_created_enabled_and_given_an_alias(cluster):
    cluster.add_svm("svm3", service=False)
    info = {what: cluster.records(what, {}) for what in READ}
    data = [{"name": f"{IQN}:any", "alias": "db"}]
    planned = ontap_plan(data, info, svm="svm3")
    (call,) = planned["service"]
    cluster.call(call["method"], call["api"], {}, nested(call["body"]))
    (service,) = cluster.of("protocols/san/iscsi/services", "svm3")
    assert service["enabled"] and service["target"] == {"name": Cluster.target_of("svm3"), "alias": "db"}
    info = {what: cluster.records(what, {}) for what in READ}
    (fault,) = ontap_plan(data, info, svm="svm3")["faults"]
    assert f"is '{Cluster.target_of('svm3')}', and the data has '{IQN}:any'" in fault


def test_a_service_is_not_stopped_under_a_session(cluster):
    cluster.log_in(SVM, B)
    assert f"Logged in: '{B}'" in faults(cluster, target(enabled=False))
    cluster.tables["protocols/san/iscsi/sessions"].clear()
    assert carried_out(cluster, target(enabled=False))[0] == f"Disable the iSCSI service of '{SVM}'."


REFUSED = [
    ([target(), target()], "An SVM has one target, and 2 are asked for."),
    ([target(state="absent")], "an SVM has one target, which stays."),
    ([target(parameters={"MaxConnections": 2})], "'parameters' cannot be set on ONTAP from here"),
    ([target(attributes={"authentication": 1})], "'attributes' cannot be set on ONTAP from here"),
    ([target(portals=["10.77.1.21:3261"])], "addresses of the LIFs of the SVM, at port 3260"),
    ([target(enabled="perhaps")], "enabled must be true or false."),
    ([target(luns=[{"name": "a", "shared": "maybe"}])], "LUN 'a': shared must be true or false."),
    ([target(igroup(luns=[{"name": "db0", "shared": 7}]))], "shared must be true or false."),
    ([target(portals=["[::]"])], "addresses of the LIFs of the SVM"),
    ([target(luns=[{"name": "a", "size": "1g", "block_size": 4096}])], "'block_size' cannot be set"),
    ([target(luns=[{"name": "a", "size": "1g", "write_back": True}])], "'write_back' cannot be set"),
    (
        [target(luns=[{"name": "a", "size": "1g", "serial": "0123456789ab"}])],
        "it gives a LUN its serial itself",
    ),
    ([target(luns=[{"name": "a", "size": "1g", "path": "/dev/sdb"}])], "must be /vol/VOLUME/LUN"),
    (
        [target(luns=[{"name": "a", "size": "1g", "allocation": "thick"}])],
        "value of allocation must be one of: sparse, full",
    ),
    ([target(luns=[{"name": "a", "size": "1g", "read_only": True}])], "Leave read_only out."),
    (
        [target(luns=[{"name": "a", "size": "1g"}, {"name": "b", "size": "1g", "path": "/vol/san/a"}])],
        "more than once",
    ),
    ([target(igroup(luns=[{"name": "db0", "read_only": True}]))], "read-only for some initiators"),
    ([target(igroup(luns=["db9"]))], "names the LUN 'db9', which the target does not have"),
    ([target(igroup(initiators=["db-a"]))], "is not an iSCSI name"),
    ([target(igroup(chap={"user": "db", "secret": "short"}))], "it must have 12 to 255"),
    ([target(igroup(chap=CHAP), igroup("two", luns=[], chap=MUTUAL))], "have different CHAP credentials"),
    (
        [target(igroup(luns=[{"name": "db0", "number": 3}, {"name": "db1", "number": 3}]))],
        "would see both 'db0' and 'db1' as LUN 3",
    ),
]


@pytest.mark.parametrize("data, said", REFUSED, ids=[said[:40] for _data, said in REFUSED])
def test_data_that_an_svm_cannot_have_is_refused_before_anything_is_asked(data, said):
    (fault,) = ontap_plan(copy.deepcopy(data), volume="san")["faults"]
    assert said in fault and CHAP["secret"] not in fault


def test_a_lun_without_a_place_is_refused():
    (fault,) = ontap_plan([target()])["faults"]
    assert "LUN 'db0': it is not said where it is." in fault


def test_what_the_svm_does_not_have_is_refused(cluster):
    assert "no volume 'nope'" in faults(
        cluster, target(luns=[{"name": "a", "size": "1g", "path": "/vol/nope/a"}])
    )
    assert "no LIF with the address '10.9.9.9'" in faults(cluster, target(portals=["10.9.9.9"]))
    assert "the data has no size for it" in faults(cluster, target(luns=[{"name": "a"}]))
    wwid = "3600a0980" + "0" * 24
    assert "A new one would be empty" in faults(
        cluster, target(luns=[{"name": "a", "size": "1g", "wwid": wwid}])
    )
    carried_out(cluster, target(luns=[{"name": "a", "size": "1g"}]))
    assert "it is another LUN" in faults(cluster, target(luns=[{"name": "a", "size": "1g", "wwid": wwid}]))


def test_a_lun_that_somebody_has_is_given_to_nobody_else(cluster):
    carried_out(cluster, target(igroup()))
    both = target(igroup(), igroup("db-b", [B], ["db0"]))
    assert "Two hosts that write to one LUN destroy its data" in faults(cluster, both, force=True)
    luns = [{"name": "db0", "size": "1g", "number": 3, "shared": True}, {"name": "db1"}]
    shared = target(igroup(), igroup("db-b", [B], ["db0"]), luns=luns)
    carried_out(cluster, shared)


@pytest.mark.parametrize("said", ["false", "no", "False", 0])
def test_text_that_says_no_does_not_share_a_lun(cluster, said):
    carried_out(cluster, target(igroup(luns=["db0"])))
    luns = [{"name": "db0", "size": "1g", "number": 3, "shared": said}]
    both = [igroup(luns=["db0"]), igroup("db-b", [B], ["db0"])]
    assert "Two hosts that write to one LUN" in faults(cluster, target(*both, luns=luns))
    carried_out(cluster, target(*both, luns=[{**luns[0], "shared": "yes"}]))


def test_a_new_map_gives_a_lun_to_nobody_who_is_not_named(cluster):
    carried_out(cluster, target(igroup(luns=["db0"])))
    cluster.add_initiators(cluster.of("protocols/san/igroups", SVM)[0]["uuid"], {"records": [{"name": B}]})
    assert f"The igroup 'db-a' has '{B}' too" in faults(cluster, target(igroup()))
    carried_out(cluster, target(igroup()), purge=True)
    assert initiators(cluster, "db-a") == [A]


def test_who_joins_gets_no_lun_that_another_has(cluster):
    carried_out(cluster, target(igroup(luns=["db0"])))
    assert "would get the LUN '/vol/san/db0'" in faults(cluster, target(igroup(initiators=[B], luns=["db0"])))
    cluster.create_lun(
        nested({"svm.name": SVM, "name": "/vol/san/other", "os_type": "linux", "space.size": GIB})
    )
    cluster.create_map(nested({"svm.name": SVM, "lun.name": "/vol/san/other", "igroup.name": "db-a"}))
    assert "would get the LUN '/vol/san/other'" in faults(
        cluster, target(igroup(initiators=[A, B], luns=["db0"]))
    )


def an_empty_igroup_of_a_lun_that_another_has(cluster):
    cluster.create_lun(
        nested({"svm.name": SVM, "name": "/vol/san/other", "os_type": "linux", "space.size": GIB})
    )
    for name in ("db-a", "zoo"):
        members = {"initiators": [{"name": A}]} if name == "zoo" else {}
        cluster.create_igroup(nested({"svm.name": SVM, "name": name, "os_type": "linux", **members}))
        cluster.create_map(nested({"svm.name": SVM, "lun.name": "/vol/san/other", "igroup.name": name}))
    cluster.log_in(SVM, A)


@pytest.mark.parametrize("more", [{}, {"luns": [{"name": "other", "size": "1g"}]}])
@pytest.mark.parametrize("luns", [None, [], ["other"]])
def test_who_joins_an_empty_igroup_gets_no_lun_that_another_has(cluster, more, luns):
    an_empty_igroup_of_a_lun_that_another_has(cluster)
    group = {"name": "db-a", "initiators": [B], **({} if luns is None or not more else {"luns": luns})}
    assert f"'{B}' would get the LUN '/vol/san/other', which '{A}' has" in faults(
        cluster, target(group, **more)
    )
    carried_out(cluster, target(group, luns=[{"name": "other", "size": "1g", "shared": True}]))


def test_two_who_join_two_empty_igroups_of_one_lun_are_two(cluster):
    an_empty_igroup_of_a_lun_that_another_has(cluster)
    cluster.of("protocols/san/igroups", SVM)[1]["initiators"].clear()
    two = target(igroup(luns=[], initiators=[B]), igroup("zoo", luns=[], initiators=[A]))
    assert f"'{B}' would get the LUN '/vol/san/other', which '{A}' has" in faults(cluster, two)
    carried_out(cluster, target(igroup(luns=[], initiators=[B])))


def test_a_lun_goes_to_no_two_new_igroups(cluster):
    two = [igroup(luns=["db0"]), igroup("db-b", [B], ["db0"])]
    assert "gives the LUN '/vol/san/db0' to the igroups 'db-a' and 'db-b'" in faults(cluster, target(*two))
    two[1]["luns"] = [{"name": "db0", "shared": True}]
    carried_out(cluster, target(*two))


def test_what_goes_must_be_known_whole(cluster):
    carried_out(cluster, target(igroup()))
    cluster.create_igroup(nested({"svm.name": SVM, "name": "esx", "os_type": "vmware"}))
    cluster.create_map(nested({"svm.name": SVM, "lun.name": "/vol/san/db0", "igroup.name": "esx"}))
    gone = target(luns=[{"name": "db0", "state": "absent"}, {"name": "db1"}])
    assert "is mapped to 'db-a' and 'esx', which the data does not name" in faults(cluster, gone, force=True)
    one = target({"name": "db-a", "state": "absent"}, luns=[{"name": "db0"}])
    assert "has '/vol/san/db1', which the data does not name" in faults(cluster, one, force=True)


def test_a_number_that_another_lun_has_is_refused(cluster):
    carried_out(cluster, target(igroup()))
    luns = [{"name": "db0"}, {"name": "db1"}, {"name": "db2", "size": "1g", "number": 3}]
    assert "Choose another number." in faults(cluster, target(igroup(luns=["db2"]), luns=luns))


def test_who_is_denied_or_has_more_than_the_data_says_is_left_to_a_person(cluster):
    carried_out(cluster, target(igroup(chap=MUTUAL)))
    assert "the data has no mutual_user" in faults(cluster, target(igroup(chap=CHAP)))
    cluster.of("protocols/san/iscsi/credentials", SVM)[1].update(authentication_type="deny", chap={})
    assert "is denied by a credential" in faults(cluster, target(igroup(chap=MUTUAL)))


def test_initiators_of_fibre_channel_are_not_purged_and_lose_nothing_unasked(cluster):
    cluster.create_igroup(
        nested(
            {
                "svm.name": SVM,
                "name": "db-a",
                "os_type": "linux",
                "initiators": [{"name": "50:0a:09:81:00:00:00:01"}],
            }
        )
    )
    assert "would give it the LUN" in faults(cluster, target(igroup()), purge=True)
    luns = [{"name": "db0", "size": "1g", "shared": True}]
    carried_out(cluster, target(igroup(luns=["db0"]), luns=luns), purge=True)
    gone = target(igroup(luns=[{"name": "db0", "state": "absent"}]), luns=luns)
    assert "by Fibre Channel, perhaps" in faults(cluster, gone)


def test_an_igroup_for_fibre_channel_is_not_taken(cluster):
    cluster.create_igroup(nested({"svm.name": SVM, "name": "db-a", "os_type": "linux", "protocol": "fcp"}))
    assert "is for Fibre Channel" in faults(cluster, target(igroup()))


def test_an_answer_that_is_not_whole_is_refused(cluster):
    info = {what: cluster.records(what, {}) for what in READ}
    (fault,) = ontap_plan([target()], {**info, "storage/luns": "requires ONTAP 9.6"}, svm=SVM, volume="san")[
        "faults"
    ]
    assert "ONTAP did not return storage/luns" in fault
    info["storage/luns"] = {"records": [{"svm": {"name": SVM}, "name": "/vol/san/a"}]}
    (fault,) = ontap_plan([target()], info, svm=SVM, volume="san")["faults"]
    assert "not in the form of its REST reference" in fault


def test_data_in_another_form_is_refused():
    assert "has no name" in ontap_plan([{"luns": []}])["faults"][0]
    with pytest.raises(AnsibleFilterError, match="not in the form that the role ontap documents"):
        ontap_plan(7)


FORMS = [
    ("a target", "each target is a dictionary"),
    (target({"name": "a", "initiators": [A], "chap": {"user": "db"}}), "missing required arguments: secret"),
    (
        target({"name": "a", "initiators": [A], "chap": {"user": "db", "secret": None}}),
        "has 0 bytes|'None' is not a string",
    ),
    (target({"name": "a", "initiators": [A], "chap": "a secret"}), "chap"),
    (target(luns="x"), "luns"),
    (target({"initiators": [A]}), "missing required arguments: name"),
]


@pytest.mark.parametrize("given, said", FORMS, ids=[said for _given, said in FORMS])
@pytest.mark.parametrize("planned", [ontap_plan, eseries_plan])
def test_another_form_is_named_and_no_secret_is(planned, given, said):
    fault = " ".join(planned([given])["faults"])
    assert re.search(said, fault) and "a secret" not in fault and "Error" not in fault


def test_a_number_as_text_is_a_number(cluster):
    carried_out(cluster, target(igroup(luns=["db0"]), luns=[{"name": "db0", "size": "1g", "number": "7"}]))
    assert maps(cluster) == {("db-a", "/vol/san/db0"): 7}


def test_nothing_is_asked_for_and_nothing_is_done(cluster):
    assert plan(cluster) == {"faults": [], "say": [], "service": [], "chap": [], "steps": [], "wwids": {}}
