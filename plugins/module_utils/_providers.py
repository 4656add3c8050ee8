# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The storage software that the storage modules can drive, by the name in their option 'provider'.

A provider is imported when it is asked for: a host compiles what it runs at each task, and it runs one of them.
"""

from __future__ import annotations

from typing import Any

from ._san.provider import Provider

NAMES = ("eseries", "iet", "lio", "manual", "netbsd", "ontap", "tgt")
OPTION: dict[str, Any] = {"provider": {"type": "str", "choices": list(NAMES), "default": "lio"}}


def provider_of(options: dict[str, Any]) -> Provider:
    """The provider that the options of a module name."""
    return provider(options["provider"])


def provider(name: str) -> Provider:
    """The provider of this name, which is one of NAMES."""
    if name == "eseries":
        from ._san.eseries import ESERIES as found
    elif name == "iet":
        from ._iet.provider import IET as found
    elif name == "manual":
        from ._san.manual import MANUAL as found
    elif name == "netbsd":
        from ._netbsd.provider import NETBSD as found
    elif name == "ontap":
        from ._san.ontap import ONTAP as found
    elif name == "tgt":
        from ._tgt.provider import TGT as found
    else:
        from ._lio.provider import LIO as found
    return found
