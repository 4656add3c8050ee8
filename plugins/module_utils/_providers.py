# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The storage software that the storage modules can drive, by the name in their option 'provider'."""

from __future__ import annotations

from typing import Any

from ._iet.provider import IET
from ._lio.provider import LIO
from ._netbsd.provider import NETBSD
from ._san.manual import MANUAL
from ._san.provider import Provider

PROVIDERS = {one.name: one for one in (IET, LIO, MANUAL, NETBSD)}
OPTION: dict[str, Any] = {"provider": {"type": "str", "choices": sorted(PROVIDERS), "default": LIO.name}}


def provider_of(options: dict[str, Any]) -> Provider:
    """The provider that the options of a module name."""
    return PROVIDERS[options["provider"]]
