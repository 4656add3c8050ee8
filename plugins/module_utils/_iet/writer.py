# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of ietd.conf: only lines of the target that is named, and of these only those that say something else than they
shall."""

from __future__ import annotations

from typing import Iterable, Mapping, Sequence

from .._keyvalue import lines
from .._san.target import Lun
from .conf import (
    ACCOUNTS,
    NAMED,
    Account,
    LunLine,
    Section,
    key_at,
    lun_of,
    section_of,
    sections_of,
    with_end,
)

INDENT = "\t"


def without_section(text: str, name: str) -> str:
    """The text without a target; comments and blank lines behind it stay."""
    section = section_of(sections_of(text), name)
    if section is None:
        return text
    parts = lines(text)
    own = [
        part
        for part in parts[section.start + 1 : section.end]
        if not key_at(part) and not NAMED.fullmatch(part)
    ]
    return "".join([*parts[: section.start], *own, *parts[section.end :]])


def with_section(
    text: str,
    name: str,
    luns: Mapping[int, Lun],
    keys: Mapping[str, str],
    accounts: Sequence[Account],
) -> str:
    """The text in which the target has these LUNs, accounts and at least these keys."""
    section = section_of(sections_of(text), name)
    if section is None:
        new = [f"Target {name}\n", *_account_lines(accounts), *_key_lines(keys)]
        new += [part for number in sorted(luns) for part in _lun_lines(luns[number], None)]
        return with_end(text) + "".join(new)
    parts = lines(text)
    if section.end == len(parts):
        parts[-1] = with_end(parts[-1])
    body = _body(parts, section, luns, keys, accounts)
    return "".join([*parts[: section.start + 1], *body, *parts[section.end :]])


def _body(
    parts: Sequence[str],
    section: Section,
    luns: Mapping[int, Lun],
    keys: Mapping[str, str],
    accounts: Sequence[Account],
) -> list[str]:
    """The lines of a section behind its first one."""
    new_keys = {key: value for key, value in keys.items() if section.keys.get(key) != value}
    replaced = tuple(accounts) != section.accounts
    found: list[str] = _account_lines(accounts) if replaced else []
    left = dict(new_keys)
    for at in range(section.start + 1, section.end):
        key = key_at(parts[at])
        if key in ACCOUNTS and replaced or NAMED.fullmatch(parts[at]) and _names(parts, at):
            continue
        if key == "Lun":
            found += _kept_lun(parts, at, section, luns)
        elif key in new_keys:
            if key in left:
                found += _key_lines({key: left.pop(key)})
        else:
            found.append(parts[at])
    found += _key_lines(left)
    known = {number for number in luns if number in section.luns}
    return found + [part for number in sorted(set(luns) - known) for part in _lun_lines(luns[number], None)]


def _names(parts: Sequence[str], at: int) -> bool:
    """Whether a comment names the LUN in the line after it."""
    return at + 1 < len(parts) and key_at(parts[at + 1]) == "Lun"


def _kept_lun(parts: Sequence[str], at: int, section: Section, luns: Mapping[int, Lun]) -> list[str]:
    line = lun_of(parts[at], at, parts[at - 1])
    comment = [parts[at - 1]] if line.name else []
    lun = luns.get(line.number)
    if lun is None or section.luns[line.number].at != at:
        return []
    if lun.name == name_of(line) and options_of(lun, line) == list(line.options):
        return [*comment, parts[at]]
    return _lun_lines(lun, line)


def name_of(line: LunLine) -> str:
    """The name of a LUN: that of our comment before it, else it follows from its number."""
    return line.name or f"lun{line.number}"


def _lun_lines(lun: Lun, line: LunLine | None) -> list[str]:
    options = ",".join(f"{key}={value}" for key, value in options_of(lun, line))
    named = [] if lun.name == f"lun{lun.number}" else [f"{INDENT}# LUN {lun.name}\n"]
    return [*named, f"{INDENT}Lun {lun.number} {options}\n"]


def options_of(lun: Lun, line: LunLine | None) -> list[tuple[str, str]]:
    """The options of a LUN, those that the line has in its order and spelling; a cache that nobody asks for is not written."""
    wanted = _options(lun)
    found = []
    for key, value in line.options if line else ():
        canonical = next((one for one in wanted if one.lower() == key.lower()), key)
        said = wanted.pop(canonical, value)
        if said is None and _mute(canonical, value):
            said = value
        if said is not None:
            found.append((key, said))
    return found + [(key, value) for key, value in wanted.items() if value]


def _mute(key: str, value: str) -> bool:
    """Whether an option says what holds without it."""
    return (key == "IOMode" and value not in ("ro", "wb")) or (key, value) in (
        ("BlockSize", "512"),
        ("Type", "fileio"),
    )


def _options(lun: Lun) -> dict[str, str | None]:
    """None: the option is not written."""
    mode = "ro" if lun.read_only else "wb" if lun.write_back else None
    found: dict[str, str | None] = {"Path": lun.path, "Type": lun.attributes.get("Type")}
    found["IOMode"] = mode
    found["ScsiId"], found["ScsiSN"] = lun.attributes.get("ScsiId"), lun.serial or None
    found["BlockSize"] = str(lun.block_size) if lun.block_size != 512 else None
    return {key: value for key, value in found.items() if key != "Path" or lun.path}


def _key_lines(keys: Mapping[str, str]) -> list[str]:
    return [f"{INDENT}{key} {keys[key]}\n" for key in sorted(keys)]


def _account_lines(accounts: Iterable[Account]) -> list[str]:
    return [f"{INDENT}{one.key} {one.user} {one.secret.reveal()}\n" for one in accounts]
