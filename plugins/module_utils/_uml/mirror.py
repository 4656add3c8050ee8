# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a lab takes Debian's packages from, and the keys that sign them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .._host import Host, Problem

MIRROR = "http://deb.debian.org/debian"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


@dataclass(frozen=True)
class Source:
    """Where a suite's packages come from: a mirror, and the keys that sign it."""

    mirror: str
    keyring: str | None = None

    def line(self, suite: str) -> str:
        """A line of sources.list(5) for the main packages of a suite: a signature is a must."""
        keys = ",".join(sorted({KEYRING, self.keyring or KEYRING}))
        return f"deb [arch=amd64 signed-by={keys}] {self.mirror} {suite} main"


def debian_source(controller: Host) -> Source:
    """The Debian mirror that this machine itself uses; Debian's own where it uses none (Ubuntu)."""
    if controller.stat(KEYRING) is None:
        raise Problem(
            f"Debian's keys are not here ('{KEYRING}'). Install the package debian-archive-keyring."
        )
    texts = [controller.read("/etc/apt/sources.list") or ""]
    for name in controller.list("/etc/apt/sources.list.d"):
        texts.append(controller.read(f"/etc/apt/sources.list.d/{name}") or "")
    for text in texts:
        for source in parse_sources(text):
            if "debian" in source.mirror and "security" not in source.mirror:
                return source
    return Source(MIRROR)


def parse_sources(text: str) -> list[Source]:
    """The binary sources with a 'main' component of one file, in either format of sources.list(5)."""
    found = []
    for line in re.findall(r"(?m)^\s*deb\s+(.*)$", text):
        match = re.match(r"(?:\[(?P<options>[^]]*)\]\s+)?(?P<uri>\S+)\s+\S+\s+(?P<components>.*)", line)
        if match and "main" in match["components"].split():
            keyring = re.search(r"signed-by=(/\S+)", match["options"] or "")
            found.append(Source(match["uri"].rstrip("/"), keyring and keyring[1]))
    for stanza in re.split(r"\n\s*\n", re.sub(r"(?m)^#.*\n?", "", text)):
        fields = {key.lower(): value.split() for key, value in re.findall(r"(?m)^([\w-]+):(.*)$", stanza)}
        if "deb" in fields.get("types", []) and "main" in fields.get("components", []):
            keys = [path for path in fields.get("signed-by", []) if path.startswith("/")]
            found += [Source(uri.rstrip("/"), keys[0] if keys else None) for uri in fields.get("uris", [])]
    return found


def apt_settings(controller: Host) -> list[str]:
    """How this machine reaches its mirrors, as lines of apt.conf(5): proxies, certificates, mirrors that stand still."""
    told = controller.run("apt-config", "dump", "--format", '%f "%v";%n', "Acquire", ok=None).out
    return re.findall(r'(?m)^(Acquire::(?:Check-Valid-Until|https?::\S+) "[^"\n]+");$', told)


def complaints(text: str) -> str:
    """What a package tool complained of, without what it only told."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    found = [line for line in lines if re.match(r"E: |W: Failed|(dpkg: )?error", line, re.IGNORECASE)]
    return " ".join(line[:300] for line in (found or lines)[-4:])
