# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""initiators.allow and targets.allow: the first line with the name of a target or ALL decides (iscsitarget usr/plain.c, match).

ietd reads them at every login and every discovery. Without the file everybody gets in, with an empty one nobody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Iterable, Mapping, Sequence

from .._arguments import EUI, IQN, NAA, Portal
from .._host import Problem
from .._keyvalue import lines
from .conf import BLANK, LONGEST, words_of

ALL = "ALL"
NOBODY = "none"  # a pattern that no initiator's name fits, and no address
IGROUP = re.compile(r"# igroup (\S+) of (\S+): (.*)\n")


@dataclass(frozen=True)
class Line:
    """The line that decides for a target: whether it names the target itself, and its items as they are written."""

    own: bool
    items: tuple[str, ...]


def deciding(text: str | None, target: str) -> Line:
    """The line that decides for a target; without the file it is as if 'ALL ALL' stood there."""
    if text is None:
        return Line(False, (ALL,))
    for part in lines(text):
        name = _name(part)
        if name == ALL or name.lower() == target.lower():
            items = part.strip(BLANK)[len(name) :].split(",")
            return Line(name != ALL, tuple(one.strip(BLANK) for one in items if one.strip(BLANK)))
    return Line(False, ())


def igroups_in(text: str | None, target: str) -> dict[str, str]:
    """The igroup of each initiator, as comments of this collection say it: IET has none."""
    found = [IGROUP.fullmatch(part) for part in lines(text or "")]
    return {
        name: match[1]
        for match in found
        if match and match[2].lower() == target.lower()
        for name in match[3].split(", ")
    }


def with_line(
    text: str | None, target: str, items: Sequence[str], igroups: Mapping[str, Sequence[str]] | None = None
) -> str:
    """The text in which these items decide for the target; all other lines stay as they are."""
    groups = igroups or {}
    comments = [f"# igroup {name} of {target}: {', '.join(groups[name])}\n" for name in sorted(groups)]
    new = [*comments, f"{target} {', '.join(items) or NOBODY}\n"]
    for one in new:
        if len(one.encode(errors="surrogateescape")) > LONGEST:
            raise Problem(
                f"The target '{target}' has too many initiators or portals: a line of IET's files has at most {LONGEST} bytes. "
                "Create a second target for some of them."
            )
    if text is None:  # so far everybody got in everywhere, and still does elsewhere
        return "".join([*new, f"{ALL} {ALL}\n"])
    parts = lines(text)
    if (deciding(text, target), _comments(parts, target)) == (
        Line(True, tuple(items) or (NOBODY,)),
        comments,
    ):
        return text
    own = [at for at, part in enumerate(parts) if _is_of(part, target)]
    every = next((at for at, part in enumerate(parts) if _name(part) == ALL), len(parts))
    whole = len(parts) - (1 if parts and not parts[-1].endswith("\n") else 0)
    place = min([at for at in own if _name(parts[at])] + [every, whole])
    kept = [part for at, part in enumerate(parts) if at not in own]
    place -= sum(at < place for at in own)
    return "".join([*kept[:place], *new, *kept[place:]])


def without_line(text: str | None, target: str) -> str | None:
    """The text without the lines of a target."""
    return None if text is None else "".join(part for part in lines(text) if not _is_of(part, target))


def item_of(name: str) -> str:
    """An initiator's name as an item: a basic regular expression, in which a dot stands for any character."""
    return name.replace(".", "\\.")


def plain(item: str) -> str:
    """An initiator's name as it was spelled before it became an item."""
    return item.replace("\\.", ".")


def initiator_of(item: str) -> str:
    """The initiator that an item names, in the lower case in which names are compared (RFC 7143 section 4.2.7.2); empty for
    patterns, addresses and ALL. ietd looks at the case: an item stays as it is spelled."""
    name = plain(item).lower()
    return name if IQN.fullmatch(name) or EUI.fullmatch(name) or NAA.fullmatch(name) else ""


def portal_item(portal: Portal) -> str:
    """A portal's address as an item."""
    if portal.address == "::":
        return ALL
    return f"[{portal.address}]" if ":" in portal.address else portal.address


def portal_of(item: str) -> Portal | None:
    """The portal that an item names, its address as we spell it; None for networks."""
    if item == ALL:
        return Portal("::")
    found = re.fullmatch(r"\[([0-9a-fA-F:.]+)\]|([0-9.]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)", item)
    try:
        return Portal(str(ip_address(found[1] or found[2]))) if found else None
    except ValueError:
        return None


def others_in(items: Iterable[str]) -> list[str]:
    """The items that let in more than initiators by their names: addresses, networks and patterns."""
    return [one for one in items if one not in (ALL, NOBODY) and not initiator_of(one)]


def _name(line: str) -> str:
    """The target of a line that is read: it must end with a line feed, and something blank must follow the name."""
    words = words_of(line) if line.endswith("\n") and "\0" not in line else []
    stripped = line.strip(BLANK)
    if not words or words[0].startswith("#") or line[:-1].lstrip(BLANK) == words[0] or not stripped:
        return ""
    return words[0]


def _is_of(line: str, target: str) -> bool:
    match = IGROUP.fullmatch(line)
    return (match[2] if match else _name(line)).lower() == target.lower()


def _comments(parts: Sequence[str], target: str) -> list[str]:
    matches = [IGROUP.fullmatch(part) for part in parts]
    return [match[0] for match in matches if match and match[2].lower() == target.lower()]
