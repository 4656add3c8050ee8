# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of a host as plain values, templates filled in, each with the line that it stands in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from operator import getitem
from typing import Any, Callable, Iterator

from .fault import Path

try:  # ansible-core 2.19 and newer tag each value with where it is from
    from ansible._internal._datatag._tags import Origin
except ImportError:
    Origin = None

CLOSED = "{# vaulted #}"  # a comment of Jinja: what is checked takes it for a template
OMITTED = object()  # what has become 'omit': it is left out, as of a module's options
PLACEHOLDER = "__omit_place_holder__"  # ansible-core before 2.19


class Read:
    """What was read of one host."""

    def __init__(self, template: Callable[[Any], Any]) -> None:
        self.template = template
        self.filled: dict[str, Any] = {}  # what templates have become: a host has many twice
        self.values: dict[str, Any] = {}
        self.unread: list[tuple[Path, str]] = []  # templates that cannot be filled in, and why
        self.closed: list[tuple[Path, str]] = []  # what is behind a vault that does not open here, and why
        self.origins: dict[Path, tuple[str, int]] = {}

    def variable(self, name: str, key: Any, raw: Any) -> None:
        """Read one variable; 'key' is its name as the inventory has it."""
        self.note((name,), key, raw)
        value = self._raw(raw, (name,))
        if value is not OMITTED:
            self.values[name] = value

    def origin(self, path: Path) -> tuple[str, int] | None:
        """The file and line of what is at a path, or of the nearest thing around it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]]
        return None

    def note(self, path: Path, *values: Any) -> None:
        """Where something is, by the first of these values that Ansible knows the line of."""
        found = next(filter(None, map(origin_of, values)), None)
        if found:
            self.origins[path] = found

    def _raw(self, value: Any, path: Path) -> Any:
        """A value as the inventory has it."""
        if is_vaulted(value):
            return self._tried(lambda: str(value), path)
        if isinstance(value, Mapping):
            return self._members(value, path, self._raw)
        if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
            return self._entries(value, path, self._raw)
        if isinstance(value, str) and _has_template(value):
            if str(value) not in self.filled:
                self.filled[str(value)] = self._tried(lambda: self.template(value), path)
            return self._filled(self.filled[str(value)], path)
        return plain(value)

    def _filled(self, value: Any, path: Path) -> Any:
        """What a template has become; in it is nothing left to fill in."""
        if value is OMITTED or isinstance(value, str) and value.startswith(PLACEHOLDER):
            return OMITTED
        if isinstance(value, Mapping):
            return self._members(value, path, self._filled)
        if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) and not is_vaulted(value):
            return self._entries(value, path, self._filled)
        found = self._tried(lambda: plain(value), path)
        if isinstance(found, str) and "{{" in found and not self._is_unread(path):
            self.unread.append((path, "its template cannot be filled in (is a variable in it undefined?)"))
        return found

    def _members(self, value: Mapping[Any, Any], path: Path, read: Callable[[Any, Path], Any]) -> Any:
        found = {}
        for key in self._tried(lambda: list(value), path):
            below = (*path, str(key))
            item = self._tried(partial(getitem, value, key), below)
            self.note(below, key, item)
            member = read(item, below)
            if member is not OMITTED:
                found[str(key)] = member
        return found

    def _entries(self, value: Sequence[Any], path: Path, read: Callable[[Any, Path], Any]) -> Any:
        found = []
        for number in range(len(value)):
            below = (*path, number)
            item = self._tried(partial(getitem, value, number), below)
            self.note(below, item)
            found.append(read(item, below))
        return [one for one in found if one is not OMITTED]

    def _tried(self, act: Callable[[], Any], path: Path) -> Any:
        try:
            return act()
        # Whatever it is: ansible-core before 2.19 hands on what a filter raises (any class, also of other collections), and in
        # the text of a traceback there may be a secret. What is noted here is shown only where no secret can be (secret.py).
        except Exception as error:
            if _is_behind(error, "AnsibleValueOmittedError"):
                return OMITTED
            vault = _is_behind(error, "AnsibleVaultError", "UndecryptableVaultError")
            (self.closed if vault else self.unread).append((path, " ".join(str(error).split()).rstrip(".")))
        return CLOSED

    def _is_unread(self, path: Path) -> bool:
        return any(path == known for known, _why in self.unread)


def template_of(templar: Any, hostvars: Any, own: Mapping[str, Any]) -> Callable[[Any], Any]:
    """What fills in templates with the variables of a host. What hostvars[host] templates knows no hostvars, and data that
    names another host's could not be read."""
    variables = {**own, "hostvars": hostvars}
    return templar.copy_with_new_env(available_variables=variables).template  # type: ignore[no-any-return]


def origin_of(value: Any) -> tuple[str, int] | None:
    """The file and line of a value, if Ansible knows them."""
    if Origin is not None:
        tag = value if isinstance(value, Origin) else Origin.get_tag(value)
        return (tag.path, tag.line_num or 0) if tag and tag.path else None
    file, line, _column = getattr(value, "ansible_pos", None) or (None, 0, 0)
    return (str(file), int(line or 0)) if file else None


def is_vaulted(value: Any) -> bool:
    """Whether it is a value behind !vault (EncryptedString, and AnsibleVaultEncryptedUnicode before ansible-core 2.19)."""
    return hasattr(value, "_ciphertext")


def plain(value: Any) -> Any:
    """A scalar in a type of its own, without what Ansible hangs on it."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    return float(value) if isinstance(value, float) else str(value)


def _has_template(text: str) -> bool:
    return "{{" in text or "{%" in text


def _is_behind(error: BaseException, *classes: str) -> bool:
    """Whether an error of one of these classes, which not each ansible-core has, is behind an error."""
    return any({one.__name__ for one in type(each).__mro__} & {*classes} for each in chain_of(error))


def chain_of(error: BaseException) -> Iterator[BaseException]:
    """An error and those behind it, each once: a chain can lead back to where it was."""
    seen: list[BaseException] = []
    here: BaseException | None = error
    while here is not None and not any(here is one for one in seen):
        yield here
        seen.append(here)
        here = here.__cause__ or here.__context__
