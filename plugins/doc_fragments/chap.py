# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of every option named 'chap'. Its types are in module_utils/_chap.py."""

from __future__ import annotations

from textwrap import indent

SUBOPTIONS = """\
suboptions:
  user:
    description: The user name of OWN, at most 255 bytes.
    type: str
    required: true
  secret:
    description: The secret of OWN, 12 to 255 bytes.
    type: str
    required: true
  mutual_user:
    description: The user name with which PEER authenticates to OWN. If omitted, PEER does not authenticate.
    type: str
  mutual_secret:
    description: The secret of PEER, 12 to 255 bytes, different from O(PREFIXchap.secret).
    type: str
"""

OF_A_HOST = """\
chap:
  description:
    - The CHAP credentials with which this host authenticates to PEER, and with the mutual ones PEER to this host.
    - An empty O(PREFIXchap.user) with an empty O(PREFIXchap.secret) means no CHAP.
    - If omitted, it is left unchanged; a new RECORD gets what C(iscsid.conf) says.
  type: dict
"""


def suboptions(own: str, peer: str) -> str:
    """The suboptions, indented as those of an option are; PREFIX is still in them."""
    return indent(SUBOPTIONS.replace("OWN", own).replace("PEER", peer), "  ")


def chap_of_a_host(peer: str, record: str) -> str:
    """The option of a compute host, which is the same for sessions and for discovery; PREFIX is still in it."""
    return OF_A_HOST.replace("PEER", peer).replace("RECORD", record) + suboptions("this host", peer)


class ModuleDocFragment:
    """What is true of CHAP in every module, and the option of discovery."""

    DOCUMENTATION = r"""
options: {}
notes:
  - An empty user with an empty secret means no CHAP; existing credentials are cleared.
  - CHAP secrets never appear in a process list, a log, a diff or a result. A secret must have 12 to 255 bytes, and the two
    directions must not use the same one (RFC 7143 section 12.1.3).
"""
    DISCOVERY: str = "options:\n" + indent(
        chap_of_a_host("the portal", "discovery record").replace("PREFIX", ""), "  "
    )
