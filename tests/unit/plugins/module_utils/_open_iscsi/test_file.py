# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of open-iscsi are read by the rules of its own programs, and written so that nothing else in them changes."""

from __future__ import annotations

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._keyvalue import lines
from ansible_collections.lunworks.iscsi.plugins.module_utils._open_iscsi.file import (
    config,
    edit_config,
    edit_first,
    first,
)

NAME, ALIAS = "InitiatorName", "InitiatorAlias"
TEXT = """\
# To log in at boot:
# node.startup = automatic
node.startup = manual

node.conn[0].timeo.login_timeout = 15
; other.name = 1
"""


@pytest.mark.parametrize(
    "text, said",
    [
        ("node.startup = manual\nnode.startup = onboot\n", "onboot"),
        ("node.startup = manual\nnode.startup = Onboot\n", "manual"),  # not a word that it knows
        ("node.startup = manual\nnode.startup = onboot # at boot\n", "manual"),
        ("node.startup=onboot\n", None),
        ("node.startup= onboot\n", None),
        ("node.startup==onboot\n", "onboot"),
        ("node.startup =onboot\n", "onboot"),
        ("  node.startup\t=\tonboot \r\n", "onboot"),
        ("node.startup = onboot", None),
        ("node.startup = manual\nnode.startup = onboot", "manual"),
        ("node.startup =\n", None),
        ("node.startup onboot\n", None),
        ("#node.startup = onboot\n", None),
        (";node.startup = onboot\n", None),
        ("x = y\u2028node.startup = onboot\n", None),
        ("x = y\fnode.startup = onboot\n", None),
        ("x = y\x85node.startup = onboot\n", None),
        (f"#{'x' * 2046}node.startup = onboot\n", "onboot"),  # its buffer ends here
        (f"#{'x' * 2045}node.startup = onboot\n", None),
        ("node.startup = onboot\0\n", None),
    ],
)
def test_iscsiadm_reads_a_line(text, said):
    assert config(text).get("node.startup") == said


@pytest.mark.parametrize(
    "text, said",
    [
        ("4 # was 8", "4"),
        ("15s", "15"),
        ("0x10", "0"),
        ("many", "0"),
        ("-5", "-5"),
        ("4294967301", "5"),
        ("2100000000000000000000000", "-1"),
        ("-18446744073709551000", "616"),
        ("٣", "0"),
    ],
)
def test_iscsiadm_reads_a_number(text, said):
    assert config(f"node.session.queue_depth = {text}\n") == {"node.session.queue_depth": said}


def test_iscsiadm_reads_a_list_and_cuts_a_text():
    assert config("node.session.auth.chap_algs = SHA256, MD4 MD5,SHA256\n") == {
        "node.session.auth.chap_algs": "SHA256,MD5"
    }
    assert config(f"node.session.auth.username = {'x' * 300}\n") == {"node.session.auth.username": "x" * 255}


@pytest.mark.parametrize(
    "text, said",
    [
        ("InitiatorName=a\nInitiatorName=b\n", "a"),
        ("InitiatorName = a", "a"),
        ("# InitiatorName=a\n;InitiatorName=b\n", "b"),  # it knows no other comment sign than '#'
        ("InitiatorName=\nInitiatorName=b\n", "b"),
        ("InitiatorName=a # mine\r\n", "a # mine"),
        ("OldInitiatorName=a\nInitiatorName=b\n", "a"),
        ("InitiatorAlias=the InitiatorName=a\nInitiatorName=b\n", "a"),
        ("\ufeffInitiatorName=a\n", "a"),
        (f"#{'x' * 1022}InitiatorName=a\n", "a"),
        ("InitiatorName\n", None),
        ("", None),
    ],
)
def test_iscsid_reads_its_name(text, said):
    assert first(text, NAME) == said


def test_a_setting_is_changed_in_its_place():
    assert edit_config(TEXT, {"node.startup": "onboot"}) == TEXT.replace("= manual", "= onboot")


def test_a_new_setting_follows_its_commented_example():
    assert edit_config(TEXT, {"other.name": "2"}) == TEXT + "other.name = 2\n"
    assert edit_config("# a = 1\nb = 2\n", {"a": "3"}) == "# a = 1\na = 3\nb = 2\n"
    assert edit_config("# BEGIN RECORD\nb = 2\n# END RECORD\n", {"a": "3"}).endswith("a = 3\n# END RECORD\n")


def test_what_stands_behind_the_last_line_feed_does_not_begin_to_count():
    assert edit_config("b = 2\nnode.startup = onboot", {"a": "3"}) == "b = 2\na = 3\nnode.startup = onboot"
    assert edit_config("node.startup = onboot", {"node.startup": "manual"}) == "node.startup = manual\n"


def test_one_line_of_a_setting_is_left():
    assert edit_config("a = 1\nb = 2\na = 3\nc = 4\n", {"a": "9"}) == "b = 2\na = 9\nc = 4\n"
    assert edit_config("a=1\nb = 2\n", {"a": "1"}) == "a = 1\nb = 2\n"
    assert edit_config("a = 1\nb = 2\na = 3\n", {"a": None}) == "b = 2\n"
    assert edit_first(f"{NAME}=a\n{ALIAS}=x\n{NAME}=b\n", {NAME: "b"}) == f"{NAME}=b\n{ALIAS}=x\n"


@pytest.mark.parametrize("kept", ["# caf\udce9\r\n", "x\u2028y = 1\n", "x\fy = 1\n", "\x85\n", "\ufeff# a\n"])
def test_lines_of_others_keep_every_byte(kept):
    assert lines(f"{kept}a = 1\n") == [kept, "a = 1\n"]
    assert edit_config(f"{kept}a = 1\n{kept}", {"a": "2"}) == f"{kept}a = 2\n{kept}"
    assert edit_first(f"{kept}{NAME}=a\n", {NAME: "b"}) == f"{kept}{NAME}=b\n"


def test_new_lines_end_as_the_lines_around_them_do():
    assert edit_config("a = 1\r\nb = 2\r\n", {"a": "3", "c": "4"}) == "a = 3\r\nb = 2\r\nc = 4\r\n"


def test_a_name_is_put_before_whatever_iscsid_would_take_for_it():
    text = f"{ALIAS}=once {NAME}=a\n{NAME}=b\n"
    assert edit_first(text, {NAME: "b"}) == f"{NAME}=b\n{ALIAS}=once {NAME}=a\n"


@pytest.mark.parametrize("text, value", [("", None), ("node.startup = manual\n", "manual")])
def test_what_cannot_be_put_in_force_is_not_written(text, value):
    with pytest.raises(Problem, match=r"Cannot (set|remove) 'node.startup': other lines of the file"):
        edit_config(f"{text}#{'x' * 2046}node.startup = onboot\n", {"node.startup": value})


def test_an_edit_that_changes_nothing_changes_no_byte():
    assert edit_config(TEXT, {}) == TEXT
    assert edit_config(TEXT, {"node.startup": "manual"}) == TEXT
