# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users add to mkfs, read as mke2fs(8) and mkfs.xfs(8) read it, by getopt(3), and refused before anything is made.

Taken is what shapes a file system on the one device. Not taken are force, dry runs, other devices and files, and sizes other
than the device's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping, Sequence

from .._host import Problem


@dataclass(frozen=True)
class Letters:
    """The options of a mkfs: those with a value, those without, and words that must not be in the value of one."""

    valued: str
    alone: str
    barred: Mapping[str, Sequence[str]]


TAKEN = {
    "ext4": Letters(
        "bCdeEgGiIJLlmMNoOrTU",
        "cjDKqv",
        {"J": ("device",), "E": ("offset",), "O": ("journal_dev",)},
    ),
    "xfs": Letters(
        "bcdilLmnpPrs",
        "Kq",
        {"d": ("name", "file", "size"), "l": ("logdev", "name", "file"), "r": ("rtdev", "name", "file")},
    ),
}


def mkfs_options(owner: str, kind: str, words: Sequence[str]) -> tuple[str, ...]:
    """The words, each of which is an option or the value of one; 'owner' is what messages name."""
    left = list(words)
    while left:
        word = left.pop(0)
        if len(word) < 2 or word[0] != "-":
            raise Problem(
                f"'{owner}': '{word}' in filesystem_options is neither an option nor the value of one. The device is added "
                "automatically."
            )
        _read(owner, kind, word, left)
    return tuple(words)


def _read(owner: str, kind: str, word: str, left: list[str]) -> None:
    """One word of letters; the last one may take its value from the next word."""
    letters = TAKEN[kind]
    for at, letter in enumerate(word[1:], 2):
        if letter in letters.alone:
            continue
        if letter not in letters.valued:
            raise Problem(
                f"'{owner}': '{word}' in filesystem_options is not accepted. Of mkfs.{kind} these are: "
                f"{' '.join(f'-{one}' for one in sorted(letters.valued + letters.alone))}. Nothing may be forced, only "
                "simulated, or made on another device."
            )
        if word[at : at + 1].isspace():
            raise Problem(
                f"'{owner}': '{word}' in filesystem_options is one word, so mkfs.{kind} would take the blank as part of the "
                f"value. Make a list of its words: [{word[:at]}, {word[at:].strip()!r}]."
            )
        if at == len(word) and not left:
            raise Problem(f"'{owner}': '{word}' in filesystem_options needs a value after it.")
        _check_value(owner, kind, letter, word[at:] or left.pop(0))
        return


def _check_value(owner: str, kind: str, letter: str, value: str) -> None:
    said = {part.partition("=")[0].strip() for part in value.split(",")}
    barred = sorted(said & set(TAKEN[kind].barred.get(letter, ())))
    if barred or not value:
        raise Problem(
            f"'{owner}': '-{letter} {value}' in filesystem_options is not accepted"
            + (f" because of '{barred[0]}'" if barred else "")
            + ": the file system is made on this device only, and as large as the device."
        )
