# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""CHAP credentials: the options, the values, and the rules for them, which are the same on both sides.

The documentation of these options is in doc_fragments/chap.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ._arguments import one_line
from ._host import Problem
from ._step import Secret

NO_SECRET = Secret("")
CHAP: dict[str, Any] = {
    "user": {"type": "str", "required": True},
    "secret": {"type": "str", "required": True, "no_log": True},
    "mutual_user": {"type": "str"},
    "mutual_secret": {"type": "str", "no_log": True},
}
CHAP_OPTION: dict[str, Any] = {
    "type": "dict",
    "options": CHAP,
    "required_together": [("mutual_user", "mutual_secret")],
}


@dataclass(frozen=True)
class Chap:
    """CHAP credentials: what the initiator proves, and with mutual ones what the target proves back."""

    user: str
    secret: Secret
    mutual_user: str = ""
    mutual_secret: Secret = NO_SECRET


NO_CHAP = Chap("", NO_SECRET)


def chap(given: dict[str, Any] | None, shortest: int = 12, longest: int = 255) -> Chap | None:
    """CHAP credentials, checked before anything is written.

    RFC 7143 section 12.1.3: a secret below 96 bits (12 bytes) is not safe, and the two directions must not share one.
    A user is not shown: whoever swaps user and secret would see the secret. What is a number in YAML is a text here, as in
    a module's own options. An empty user with an empty secret says that there shall be no CHAP.
    """
    if given is None:
        return None
    if not any(given.values()):
        return NO_CHAP
    found = Chap(
        _text(given["user"]),
        Secret(_text(given["secret"])),
        _text(given.get("mutual_user")),
        Secret(_text(given.get("mutual_secret"))),
    )
    for what, secret in (("secret", found.secret), ("mutual_secret", found.mutual_secret)):
        length = len(secret.reveal().encode(errors="surrogatepass"))
        if (what == "secret" or found.mutual_user) and not shortest <= length <= longest:
            raise Problem(f"The CHAP {what} has {length} bytes; it must have {shortest} to {longest}.")
        if re.search(r"^\s|\s$", secret.reveal()) or not one_line(secret.reveal(), length):
            raise Problem(f"The CHAP {what} must not begin or end with white space or contain a line break.")
    if found.mutual_user and found.secret == found.mutual_secret:
        raise Problem(
            "The CHAP secret and the mutual_secret are the same; RFC 7143 forbids that. Use two different secrets."
        )
    for what, user in (("user", found.user), ("mutual_user", found.mutual_user)):
        if not one_line(user, 255) or re.search(r"^\s|\s$", user) or (what == "user" and not user):
            raise Problem(f"The CHAP {what} is empty, longer than 255 bytes, or has white space around it.")
    return found


def _text(value: Any) -> str:
    return "" if value is None else str(value)
