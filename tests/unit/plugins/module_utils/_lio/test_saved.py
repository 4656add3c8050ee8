# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The saved file while somebody writes it in place, as rtslib does, and after a power cut in the middle of that."""

from __future__ import annotations

import json

import pytest

from ansible_collections.lunworks.iscsi.plugins.module_utils._host import Problem
from ansible_collections.lunworks.iscsi.plugins.module_utils._lio.persistence import look_saved
from ansible_collections.lunworks.iscsi.tests.unit.lio_host import SAVED
from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

DOCUMENT = {"fabric_modules": [], "storage_objects": [], "targets": []}
TEXT = json.dumps(DOCUMENT)


class Written(ScriptedHost):
    """The file is another one at each read, until the last."""

    def __init__(self, *texts):
        super().__init__({"/etc/target": {"kind": "directory"}, SAVED: texts[-1]})
        self.texts = list(texts)

    def read(self, path):
        return self.texts.pop(0) if path == SAVED and len(self.texts) > 1 else super().read(path)

    def until(self, test, seconds, every=0.2):
        for _time in range(5):
            answer = test()
            if answer:
                break
        return answer


@pytest.mark.parametrize("before", [("",), ("", TEXT[:20]), (TEXT[:1],)])
def test_who_looks_while_it_is_written_sees_it_whole(before):
    assert look_saved(Written(*before, TEXT)).document == DOCUMENT


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "is empty"), ("\0" * 9, "is empty"), (" \n", "is empty"), (TEXT[:20], "is not JSON")],
)
def test_what_a_power_cut_left_of_it_is_never_taken_for_nothing(text, said):
    with pytest.raises(Problem, match=f"{said}.*restore a copy from"):
        look_saved(Written(text))


def test_where_nothing_was_saved_yet_there_is_no_file():
    assert look_saved(ScriptedHost({"/etc/target": {"kind": "directory"}})).document == {}
