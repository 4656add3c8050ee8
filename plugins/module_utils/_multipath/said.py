# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What files of multipath say, in the form of the options of multipath_conf; and what of these they say already."""

from __future__ import annotations

from typing import Any, Iterable, Mapping

from .sections import Section

FLAT = ("defaults", "overrides")
LISTED = ("blacklist", "blacklist_exceptions")  # a keyword may stand there many times
ENTRIES = {"devices": "device", "multipaths": "multipath"}


def options_of(files: Iterable[Section]) -> dict[str, Any]:
    """What these files say together, in their order; of a keyword that counts once the last one."""
    found: dict[str, Any] = {name: {} for name in (*FLAT, *LISTED)}
    found.update({name: [] for name in ENTRIES})
    for sections in files:
        for name in FLAT:
            for one in sections.all(name):
                found[name].update(one.values)
                for inner in one.inner:
                    found[name].setdefault(inner.name, []).append(dict(inner.values))
        for name in LISTED:
            for one in sections.all(name):
                for keyword, value in [
                    *one.pairs,
                    *((inner.name, dict(inner.values)) for inner in one.inner),
                ]:
                    found[name].setdefault(keyword, []).append(value)
        for name, inner_name in ENTRIES.items():
            found[name] += [dict(one.values) for one in sections.all(name, inner_name)]
    return found


def unsaid(options: Mapping[str, Any], files: Iterable[Section]) -> dict[str, Any]:
    """These options without what the files say in the same way: what stands somewhere is not written again.

    An entry for arrays overrules those before it, so that they count as said only together, as the last ones.
    """
    said = options_of(files)
    left = dict(options)
    for name in FLAT:
        left[name] = {
            key: value for key, value in options[name].items() if said[name].get(key) != worded(value)
        }
    for name in LISTED:
        both = {key: (_many(value), said[name].get(key, [])) for key, value in options[name].items()}
        kept = {key: [one for one in many if worded(one) not in told] for key, (many, told) in both.items()}
        left[name] = {key: kept[key] for key in kept if kept[key]}
    wanted = worded(options["devices"])
    if wanted == said["devices"][len(said["devices"]) - len(wanted) :]:
        left["devices"] = []
    left["multipaths"] = [one for one in options["multipaths"] if not _has(said["multipaths"], worded(one))]
    return left


def worded(value: Any) -> Any:
    """A value as multipath.conf has it: a text."""
    if isinstance(value, Mapping):
        return {key: worded(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [worded(inner) for inner in value]
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _has(entries: list[dict[str, str]], wanted: Mapping[str, str]) -> bool:
    """Whether this is all that is said of the map."""
    return [one for one in entries if one.get("wwid") == wanted["wwid"]] == [wanted]
