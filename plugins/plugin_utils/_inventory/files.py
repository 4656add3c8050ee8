# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the files of an inventory and Ansible leaves out: a key that comes again, the variables of no host or group."""

from __future__ import annotations

import os
import re
from pathlib import Path as File
from typing import Any, Callable, Collection, Iterator

import yaml

from .fault import Path, nearest, place_of

ENDINGS = (".yml", ".yaml", ".json")
STRUCTURE = ("hosts", "children", "vars")  # of the groups in an inventory of YAML
LIKE = 0.75
MOST = 16 << 20  # bytes of a file of an inventory that are read
IMPLICIT = ("localhost", "127.0.0.1", "::1")  # hosts that Ansible has unasked
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def repeated(file: str, is_ours: Callable[[str], bool], groups: bool) -> Iterator[tuple[str, str, int]]:
    """Keys of our variables that a file has twice, and where it has groups, theirs: their place, what is said, the line."""
    root = _parsed(file)
    for path, first, line in _again(root, (), set()) if root else ():
        if any(is_ours(key) for key in path if isinstance(key, str)) or groups and _is_structure(path):
            said = f"stands here again, so that what line {first} says is ignored. Make one of the two"
            yield place_of(path, _value(root)), said, line


def _parsed(file: str) -> Any:
    """The nodes of a file; None where it is no YAML, which Ansible itself says, or not to be known."""
    try:
        return yaml.compose((_bytes(File(file)) or b"").decode("utf-8"), Loader=LOADER)
    except (UnicodeError, yaml.YAMLError):
        return None


def _again(node: Any, path: Path, seen: set[int]) -> Iterator[tuple[Path, int, int]]:
    """The keys that stand twice in one dictionary, with the lines of the first and of the later."""
    if id(node) in seen:  # an anchor leads to one node from many places
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in lines and name != "<<":
                yield (*path, name), lines[name], line
            lines[name] = line
            yield from _again(value, (*path, name), seen)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from _again(value, (*path, number), seen)


def _is_structure(path: Path) -> bool:
    """Whether this is a group, a host or what they consist of."""
    *above, key = path
    return "vars" not in above and (not above or above[-1] in STRUCTURE or key in STRUCTURE)


def _value(node: Any) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _value(value) for key, value in node.value}
    return [_value(one) for one in node.value] if isinstance(node, yaml.SequenceNode) else node.value


def of_nobody(
    sources: Collection[str], hosts: Collection[str], groups: Collection[str], ours: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Files with variables of ours for a host or a group that the inventory beside them does not have, and what is said."""
    for folder in sorted({one if os.path.isdir(one) else os.path.dirname(one) for one in sources}):
        for kind, names in (("host", (*hosts, *IMPLICIT)), ("group", groups)):
            for file in _own_entries(File(folder, f"{kind}_vars")):
                name = file.stem if file.suffix in ENDINGS else file.name
                if name in names or not _has_any(file, ours) or _may_be_elsewhere(folder, sources, name):
                    continue
                like = nearest(name, names, LIKE)
                # A run may make a group (group_by).
                if not like and (kind == "group" or _is_aside(file)):
                    continue
                hint = f"did you mean '{like}'?" if like else "add it to its groups, or remove the file"
                yield str(file), f"the inventory has no {kind} '{name}', so nobody reads this file; {hint}"


def _own_entries(place: File) -> list[File]:
    """What only this inventory has: behind a link is what others have too."""
    return [] if place.is_symlink() else [one for one in _entries(str(place)) if not one.is_symlink()]


def _is_aside(file: File) -> bool:
    """A file that Ansible may not read for any host, as 'db-a.yml.example'; a host's name may have dots, too."""
    return os.path.isfile(file) and any(ending in file.suffixes[:-1] for ending in ENDINGS)


def _entries(folder: str) -> list[File]:
    try:
        found = [File(folder, name) for name in sorted(os.listdir(folder or "."))]
    except OSError:  # there is no such folder, or it may not be read
        return []
    return [
        one for one in found if not one.name.startswith(".") and not one.name.endswith(("~", ".bak", ".orig"))
    ]


def _has_any(file: File, ours: Collection[str]) -> bool:
    files = file.rglob("*") if os.path.isdir(file) else [file]
    roots = [_parsed(str(one)) for one in files]
    return any(
        str(key.value) in ours
        for root in roots
        if isinstance(root, yaml.MappingNode)
        for key, _value in root.value
    )


def _may_be_elsewhere(folder: str, sources: Collection[str], name: str) -> bool:
    """Whether another inventory beside these variables may have the host, or nothing there says which hosts there are."""
    there = _entries(folder)
    below = [one for one in there if one.is_dir() and not one.name.endswith("_vars")]
    files = [one for one in there if os.path.isfile(one)]
    asked = [one for one in files if folder in sources or str(one) in sources]
    others = [one for one in files if one not in asked]
    others += [one for place in below for one in _entries(str(place)) if os.path.isfile(one)]
    return not asked or any(map(_is_dynamic, asked)) or any(_may_have(one, name) for one in others)


def _is_dynamic(file: File) -> bool:
    text = _text(file)
    return text is None or os.access(file, os.X_OK) or bool(re.search(r"^plugin:", text, re.M))


def _may_have(file: File, name: str) -> bool:
    text = _text(file)
    return text is None or name in text or _is_dynamic(file) or bool(re.search(r"\[\w+:\w+", text))


def _text(file: File) -> str | None:
    found = _bytes(file)
    return None if found is None else found.decode("utf-8", "replace")


def _bytes(file: File) -> bytes | None:
    """What is in a file; None where that is not to be known: it may not be read, is too large, or is a pipe, which could hang."""
    try:
        if os.path.isfile(file) and os.path.getsize(file) <= MOST:
            return file.read_bytes()
    except OSError:
        pass
    return None
