# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of open-iscsi, read as its own programs read them: they have two rules, and neither is what one would guess.

A file that others wrote keeps every byte but those of the setting that changes.
"""

from __future__ import annotations

import re
from typing import Iterator, Mapping

from .._host import Problem
from .._keyvalue import Is, inserted, replaced
from .conf.settings import as_read

BEGIN, END = "# BEGIN RECORD", "# END RECORD"
CONFIG_LINE, FIRST_LINE = 2048, 1024  # the buffers of fgets(3)
LONGEST_NAME, LONGEST_VALUE = (
    127,
    255,
)  # usr/idbm.h: NAME_MAXVAL, VALUE_MAXVAL; beyond them it writes past its buffers
BLANKS = r"[ \t\v\f\r]*"
ASSIGNMENT = re.compile(rb"([^\s=]+)[\s=]\s*=\s*(\S.*)", re.S)
OF_ISCSID = ("iscsid.startup", "iscsid.safe_logout", "iscsid.ipc_auth_uid")  # read by the rule of 'first'


def config(text: str) -> dict[str, str]:
    """Settings of iscsid.conf, a record or an iface in force, as iscsiadm reads them (usr/idbm.c, idbm_recinfo_config).

    The last line wins that has a value of its kind. A line that does not end, that has no blank before its '=' or that has
    no value is none. '#' begins a comment at the beginning of a line only.
    """
    found = {}
    for line in _fgets(text, CONFIG_LINE):
        match = ASSIGNMENT.fullmatch(line.strip()) if line.endswith(b"\n") else None
        if match and not match[1].startswith(b"#"):
            name = _text(match[1])
            value = as_read(name, _text(match[2]))
            if value is not None:
                found[name] = value
    return found


def first(text: str, key: str) -> str | None:
    """A setting of initiatorname.iscsi, or an 'iscsid.' one of iscsid.conf (usr/iscsi_util.c, cfg_get_string_param).

    The first line wins that has the key anywhere in it, with no '#' before it, and something behind the next '='.
    """
    for line in _fgets(text, FIRST_LINE):
        before, there, after = line.partition(key.encode())
        value = after.partition(b"=")[2].strip()
        if there and b"#" not in before and value:
            return _text(value)
    return None


def edit_config(text: str, changes: Mapping[str, str | None]) -> str:
    """The text with these settings in force for iscsiadm; a value of None removes one."""
    for name, value in changes.items():
        line = None if value is None else f"{name} = {value}"
        edited = replaced(text, _names(name), line)
        if edited is None and line is not None:
            edited = inserted(text, line, before=_ends, after=_names(name, "[#;]+"))
        text = text if edited is None else edited
    now = config(text)
    _prove({name: (value, now.get(name)) for name, value in changes.items()})
    return text


def edit_first(text: str, changes: Mapping[str, str | None], equals: str = "=") -> str:
    """The text with these settings in force for iscsid; a value of None removes one."""
    for key, value in changes.items():
        line = None if value is None else f"{key}{equals}{value}"
        edited = replaced(text, _names(key), line, first=True)
        if line is not None and (edited is None or first(edited, key) != value):
            rest = replaced(text, _names(key), None)
            edited = _put_first(text if rest is None else rest, key, line)
        text = text if edited is None else edited
    _prove({key: (value, first(text, key)) for key, value in changes.items()})
    return text


def _put_first(text: str, key: str, line: str) -> str:
    """Before whatever else iscsid takes for this key; where nothing is, after its commented-out example."""
    if first(text, key) is None:
        return inserted(text, line, after=_names(key, "#+"))
    return inserted(text, line, before=lambda part: first(part, key) is not None)


def _prove(changes: Mapping[str, tuple[str | None, str | None]]) -> None:
    """What was written is what will be read; else nothing is written."""
    for name, (wanted, now) in changes.items():
        if wanted != now:
            raise Problem(
                f"Cannot {'remove' if wanted is None else 'set'} '{name}': other lines of the file keep open-iscsi from "
                f"reading it that way. Look for a line of more than 1,000 characters, or one that has '{name}' in another text."
            )


def _names(name: str, sign: str = "") -> Is:
    """Whether a line gives this setting a value, behind a comment sign if one is named."""
    pattern = re.compile(rf"{BLANKS}{sign}{BLANKS}{re.escape(name)}{BLANKS}=")
    return lambda part: pattern.match(part) is not None


def _ends(part: str) -> bool:
    return part.startswith(END)


def _fgets(text: str, size: int) -> Iterator[bytes]:
    """What fgets(3) gives, one after the other: a line with its end, or as much as the buffer takes; C sees no NUL."""
    for line in re.findall(rb"[^\n]*\n|[^\n]+", text.encode(errors="surrogateescape")):
        for start in range(0, len(line), size - 1):
            yield line[start : start + size - 1].partition(b"\0")[0]


def _text(value: bytes) -> str:
    return value.decode(errors="surrogateescape")
