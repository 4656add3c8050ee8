# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.lunworks.iscsi.plugins.module_utils.keyvalue import edit, parse

TEXT = """\
# To log in at boot:
# node.startup = automatic
node.startup = manual

node.conn[0].timeo.login_timeout = 15
; other.name = 1
"""


def test_the_last_line_wins_and_comments_are_no_settings():
    assert parse(TEXT + "node.startup = onboot\n") == {
        "node.startup": "onboot",
        "node.conn[0].timeo.login_timeout": "15",
    }


def test_a_value_may_hold_equal_signs_and_be_empty():
    assert parse("a = b = c\nempty =\n") == {"a": "b = c", "empty": ""}


def test_a_setting_is_changed_in_its_place():
    assert edit(TEXT, {"node.startup": "onboot"}) == TEXT.replace("= manual", "= onboot")


def test_a_new_setting_follows_its_commented_example():
    assert edit(TEXT, {"other.name": "2"}) == TEXT + "other.name = 2\n"
    assert edit("# a = 1\nb = 2\n", {"a": "3"}) == "# a = 1\na = 3\nb = 2\n"


def test_a_setting_without_an_example_is_appended():
    assert edit("b = 2", {"a": "3"}) == "b = 2\na = 3\n"


def test_a_setting_that_stands_twice_stands_once_afterwards_where_it_was_in_force():
    assert edit("a = 1\nb = 2\na = 3\nc = 4\n", {"a": "9"}) == "b = 2\na = 9\nc = 4\n"


def test_a_setting_is_removed():
    assert edit("a = 1\nb = 2\na = 3\n", {"a": None}) == "b = 2\n"


def test_an_edit_that_changes_nothing_changes_no_byte():
    assert edit(TEXT, {}) == TEXT
    assert edit(TEXT, {"node.startup": "manual"}) == TEXT


def test_what_was_edited_is_what_is_parsed():
    changes = {"node.startup": "automatic", "other.name": "x y", "new": "1"}
    assert {**parse(TEXT), **changes} == parse(edit(TEXT, changes))
