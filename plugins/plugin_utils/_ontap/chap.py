# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""CHAP on an SVM: credentials of initiators, whose passwords ONTAP never shows."""

from __future__ import annotations

from typing import Any, Iterator

from ...module_utils._chap import NO_CHAP, Chap
from .asked import Asked
from .seen import CREDENTIALS, Credential, Svm
from .step import Call

DEFAULT = "default"  # the credential of every initiator that has none of its own


def calls_of(svm: Svm, asked: Asked, rewrite: bool) -> Iterator[Call]:
    """What sets the credentials; rewrite: those whose user is right too, since their secret cannot be compared."""
    for initiator, wanted in sorted(asked.chap.items()):
        found = svm.credentials.get(initiator)
        if wanted == NO_CHAP:
            yield from _open(svm, initiator, found)
        elif found is None:
            body = {"svm.name": svm.name, "initiator": initiator, **_body(wanted)}
            yield Call(f"Require CHAP of '{initiator}', as '{wanted.user}'", "POST", CREDENTIALS, body)
        elif rewrite or _users(found) != ("chap", wanted.user, wanted.mutual_user):
            say = f"Require CHAP of '{initiator}', as '{wanted.user}', with the secret of the data"
            yield Call(say, "PATCH", _place(found), _body(wanted))


def faults_of(svm: Svm, asked: Asked) -> Iterator[str]:
    """What is not changed from here."""
    for initiator, wanted in sorted(asked.chap.items()):
        found = svm.credentials.get(initiator)
        if found and found.kind == "deny":
            yield (
                f"'{initiator}' is denied by a credential of '{svm.name}' (vserver iscsi security show), and the data lets it "
                "in. Remove that credential if this is what you want."
            )
        elif found and found.mutual_user and not wanted.mutual_user and wanted != NO_CHAP:
            yield (
                f"'{svm.name}' proves itself to '{initiator}' as '{found.mutual_user}', and the data has no mutual_user. ONTAP's "
                "API does not take it away from a credential. Add mutual_user and mutual_secret, or remove it with 'vserver "
                "iscsi security modify'."
            )


def _open(svm: Svm, initiator: str, found: Credential | None) -> Iterator[Call]:
    default = svm.credentials.get(DEFAULT)
    body: dict[str, Any] = {"authentication_type": "none"}
    say = f"Require no CHAP of '{initiator}'"
    if found and found.kind != "none":
        yield Call(say, "PATCH", _place(found), body)
    elif not found and default and default.kind != "none":
        yield Call(say, "POST", CREDENTIALS, {"svm.name": svm.name, "initiator": initiator, **body})


def _users(found: Credential) -> tuple[str, str, str]:
    return found.kind, found.user, found.mutual_user


def _place(found: Credential) -> str:
    return f"{CREDENTIALS}/{found.svm}/{found.initiator}"


def _body(wanted: Chap) -> dict[str, Any]:
    chap = {"inbound": {"user": wanted.user, "password": wanted.secret.reveal()}}
    if wanted.mutual_user:
        chap["outbound"] = {"user": wanted.mutual_user, "password": wanted.mutual_secret.reveal()}
    return {"authentication_type": "chap", "chap": chap}
