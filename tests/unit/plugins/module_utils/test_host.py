# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import time

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils.host import Host, Problem


def test_a_command_gives_its_exit_code_and_both_outputs():
    ran = Host().run("sh", "-c", "cat; echo wrong >&2; exit 3", ok=(3,), stdin="right")
    assert (ran.rc, ran.out, ran.err) == (3, "right", "wrong\n")


def test_an_exit_code_that_was_not_expected_is_a_problem_with_the_words_of_the_command():
    with pytest.raises(Problem, match=r"'sh -c .*' failed with exit code 5: no such thing"):
        Host().run("sh", "-c", "echo no such thing >&2; exit 5")


def test_a_command_that_hangs_is_ended_with_all_its_children():
    began = time.monotonic()
    with pytest.raises(Problem, match=r"did not end within 0.2 seconds"):
        Host().run("sh", "-c", "sleep 60 & sleep 60", timeout=0.2)
    assert time.monotonic() - began < 10


def test_a_command_that_is_not_there():
    with pytest.raises(Problem, match="Cannot run 'no-such-command'"):
        Host().run("no-such-command")


def test_commands_speak_english():
    assert "LC_ALL=C\n" in Host().run("env").out


def test_what_is_not_there_is_none_or_empty(tmp_path):
    host = Host()
    gone = str(tmp_path / "gone")
    assert (host.read(gone), host.list(gone), host.stat(gone)) == (None, [], None)


def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path):
    path = tmp_path / "deep" / "file"
    Host().write(str(path), "one", 0o600)
    Host().write(str(path), "two")
    assert path.read_text() == "two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(path.parent) == ["file"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        Host().write(str(path), "\ud800")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_kernel_that_says_no_is_a_problem(tmp_path):
    with pytest.raises(Problem, match="refused to set"):
        Host().poke(str(tmp_path / "no" / "attribute"), "1")


def test_until_asks_again_and_gives_up_in_time():
    answers = iter([False, False, "yes"])
    assert Host().until(lambda: next(answers), 5, every=0) == "yes"
    assert Host().until(lambda: None, 0.05, every=0.01) is None


@pytest.mark.parametrize("asked", [lambda host: host.real("/proc/1/ns/mnt"), lambda host: host.list("/root")])
def test_what_only_root_may_see_is_no_traceback(monkeypatch, asked):
    def denied(*given, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os.path, "realpath", denied)
    monkeypatch.setattr(os, "listdir", denied)
    with pytest.raises(Problem, match="Permission denied. The modules of this collection run as root"):
        asked(Host())
