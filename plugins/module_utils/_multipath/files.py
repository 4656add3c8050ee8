# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that multipath is configured by, in the order in which it reads them, and what the installed one makes of them."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass
from typing import Any, Iterator, Mapping

from .._host import Host, Problem, lines_of
from .sections import Section, parse_sections

MAIN = "/etc/multipath.conf"
DROP_INS = "/etc/multipath/conf.d"
# All files as they are and the candidate ($1) among them, in an /etc that only this process sees and that is gone when it ends.
# Nothing of the host is written. The main file is there, since RHEL's multipath complains where it is not.
DRY_RUN = (
    "set -e; mount -t tmpfs none /tmp; cp -rL /etc/multipath* /tmp || :; "
    "mount -t tmpfs none /etc; cp -r /tmp/multipath* /etc || :; "
    f"mkdir -p {DROP_INS}; touch {MAIN}; cat >$1; exec multipath -t"
)


@dataclass(frozen=True)
class DryRun:
    """What the installed multipath makes of all files with a candidate among them, and what it says against the candidate."""

    config: Section
    complaints: tuple[str, ...]


def look_files(host: Host, but: str = "") -> dict[str, Section]:
    """The sections of each file but one: the main file, then the drop-ins by their names (libmultipath/config.c).

    Of a directory multipath reads nothing, whatever its name.
    """
    drop_ins = [f"{DROP_INS}/{name}" for name in host.list(DROP_INS) if name.endswith(".conf")]
    texts = {path: host.read(path) for path in (MAIN, *drop_ins) if path != but and _is_file(host, path)}
    return {path: parse_sections(text) for path, text in texts.items() if text is not None}


def _is_file(host: Host, path: str) -> bool:
    found = host.stat(path)
    return found is not None and stat.S_ISREG(found.st_mode)


def dry_run(host: Host, path: str, text: str | None) -> DryRun:
    """Let multipath read the files with this drop-in as it would be (None: without it)."""
    ran = host.run("unshare", "--mount", "sh", "-c", DRY_RUN, "sh", path, stdin=text or "", ok=None)
    if ran.rc:
        raise Problem(f"Cannot test the configuration: {' '.join(ran.err.split())}")
    return DryRun(parse_sections(ran.out), tuple(_complaints(ran.err, path)))


def refuse_elsewhere(config: Section) -> None:
    """A multipath before 0.9.0 reads its drop-ins from another directory, or none, where the main file says so (NEWS.md)."""
    directory = _merged(config, "defaults").get("config_dir", DROP_INS)
    if directory.rstrip("/") != DROP_INS:
        where = f"but from '{directory}'" if directory else "nor from anywhere else"
        raise Problem(
            f"multipath reads no drop-ins from '{DROP_INS}' here, {where}: 'config_dir' in '{MAIN}' says so. "
            "Remove that line, and move what is there."
        )


def _complaints(text: str, path: str) -> Iterator[str]:
    """The lines that name the candidate. What is said of other files, or of the host, is no fault of it."""
    name = re.escape(path.rpartition("/")[2])
    named = re.compile(rf"( (?:of|at end of))?(?:(?<![\w./-])|{re.escape(DROP_INS)}/){name}(?![\w.-]) ?")
    for line in lines_of(text):
        said = re.sub(r"^[\d.]+ \| ", "", line.strip())
        if named.search(said):
            yield named.sub("", said)


def overruled(own: Section, path: str, others: Mapping[str, Section]) -> Iterator[str]:
    """The keywords of this drop-in that a file which is read after it gives another value; the last one counts."""
    for other, sections in others.items():
        if other == MAIN or other < path:
            continue
        for name in ("defaults", "overrides"):
            ours, theirs = _merged(own, name), _merged(sections, name)
            for keyword in sorted(set(ours) & set(theirs)):
                if ours[keyword] != theirs[keyword]:
                    yield (
                        f"'{other}' is read after '{path}' and sets '{keyword}' in '{name}' to '{theirs[keyword]}', so "
                        f"'{ours[keyword]}' would have no effect. Change it there, or give this drop-in a name that sorts "
                        "after that file's."
                    )


def defaulted(files: Mapping[str, Section]) -> set[str]:
    """The keywords that the defaults of these files set."""
    return {keyword for sections in files.values() for keyword in _merged(sections, "defaults")}


def knows(files: Mapping[str, Section], vendor: str, product: str) -> bool:
    """Whether one of these files has an entry for an array of this vendor and product (regular expressions of ours)."""
    told = {"vendor": vendor.lstrip("^"), "product": product.lstrip("^")}
    entries = (one for sections in files.values() for one in sections.all("devices", "device"))
    return any(_is_about(one.values, told, product == ".*") for one in entries)


def aliases_of(sections: Section) -> dict[str, str]:
    """The aliases of the multipath sections of one file, by WWID; of several for one WWID the last counts (merge_mpe)."""
    entries = (one.values for one in sections.all("multipaths", "multipath"))
    return {
        one["wwid"]: one["alias"] for one in entries if one.get("wwid") and "/" not in one.get("alias", "/")
    }


def folded(wwid: str) -> str:
    """A WWID of a file as identity.wwid makes it of an option: of the eui. that multipath has for NVMe a 2."""
    return re.sub(r"^eui\.", "2", wwid)


def refuse_conflicts(aliases: Mapping[str, str], files: Mapping[str, Section]) -> None:
    """One name, one WWID, in all files: where two contradict each other multipath drops one."""
    for path, sections in files.items():
        for other, name in aliases_of(sections).items():
            for wwid, alias in aliases.items():
                same = folded(other) == wwid
                if not same and folded(other).lower() == wwid.lower():
                    raise Problem(
                        f"'{path}' gives the alias '{name}' to '{other}', which is '{wwid}' in another spelling, and "
                        "multipath takes it for another disk. Correct it there."
                    )
                if same != (name == alias):
                    raise Problem(
                        f"'{path}' gives the alias '{name}' to '{other}'; it must be '{alias}' for '{wwid}'. "
                        "An alias has one place: remove it there."
                    )


def _is_about(entry: Mapping[str, str], told: Mapping[str, str], any_product: bool) -> bool:
    wanted = ("vendor",) if any_product else ("vendor", "product")
    try:
        return all(re.search(entry.get(keyword, ""), told[keyword]) for keyword in wanted)
    except re.error:  # a regular expression of the C library that Python's does not know
        return all(entry.get(keyword) == told[keyword] for keyword in wanted)


def _merged(sections: Section, name: str) -> dict[str, Any]:
    """What the sections of this name in one file say together; the last one counts."""
    return {keyword: value for one in sections.all(name) for keyword, value in one.values.items()}
