# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mistake in the inventory: whose, where, what it is, and in which line of which file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Iterable, Mapping, Tuple, Union

Path = Tuple[Union[str, int], ...]  # a variable, and the keys and positions below it
NAMES = ("name", "target", "alias", "wwid")  # what an entry of a list is called by, the first that it has
HOSTS = 3  # so many are named
SURELY = 0.93  # one letter or two, of a name of which most is the same for all targets of a site


@dataclass(frozen=True)
class Fault:
    """A mistake in the data of a host."""

    host: str
    place: str
    said: str
    origin: str = ""  # FILE:LINE


def sentences(faults: Iterable[Fault]) -> list[str]:
    """One sentence for each mistake; what many hosts have from one place is one mistake."""
    hosts: dict[tuple[str, str, str], list[str]] = {}
    for fault in faults:
        hosts.setdefault((fault.place, fault.said, fault.origin), []).append(fault.host)
    return [
        ": ".join(filter(None, (_named(names), place, said))) + (f" ({origin})" if origin else "")
        for (place, said, origin), names in hosts.items()
    ]


def _named(hosts: list[str]) -> str:
    names = list(dict.fromkeys(hosts))
    more = len(names) - HOSTS
    return ", ".join(names[:HOSTS]) + (f" and {more} more" if more > 0 else "")


def place_of(path: Path, data: Any) -> str:
    """A path for people: with the names of what it leads through."""
    told, here = "", data
    for key in path:
        here = _below(here, key)
        if isinstance(key, int):
            name = name_of(here)
            told += f"[{key}]" + (f" '{name}'" if name else "")
        else:
            told += f"{', ' if told else ''}{key}"
    return told


def without_place(said: str, path: Path, data: Any) -> str:
    """What is said at a place, without what the place says already."""
    option = re.match(r"(\w+): ", said)
    if option and str(path[-1]).endswith(option[1]):
        said = said[option.end() :]
    here = data
    for key in path:
        here = _below(here, key)
        name = re.escape(name_of(here)) if isinstance(key, int) else ""
        if name:
            said = re.sub(rf"^[Tt]arget '{name}':? ", "", said)
            said = re.sub(rf" (?:of|for) (?:the (?:target|volume group) )?'{name}'(?! and)", "", said)
    return said


def _below(value: Any, key: str | int) -> Any:
    try:
        return value[key]
    except (KeyError, IndexError, TypeError):
        return None


def name_of(entry: Any) -> str:
    """What an entry of a list is called."""
    if not isinstance(entry, Mapping):
        return ""
    return next((str(entry[key]) for key in NAMES if isinstance(entry.get(key), (str, int))), "")


def nearest(word: str, words: Iterable[str], cutoff: float = 0.6) -> str:
    """The one of these that is most like it, or ''."""
    return next(iter(get_close_matches(word, list(words), 1, cutoff)), "")


def target_meant(name: str, targets: Iterable[str]) -> str:
    """The target of which a name is surely a misspelling, or ''; not one whose name differs in numbers alone, as those of two
    arrays of one site do."""
    letters = re.sub(r"\d+", "", name)
    return nearest(name, (one for one in targets if re.sub(r"\d+", "", one) != letters), SURELY)
