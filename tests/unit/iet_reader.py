# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ietd makes of its files: a reader of its own, written from the daemon's grammar and from nothing of the collection.

Bytes in, as the daemon's fgets has them: at most 4095 of them at once, whatever line they are of.
"""

from __future__ import annotations

import ipaddress
import re

SPACE = b" \t\n\v\f\r"
NUMBERS = {  # the least, and the largest
    "wthreads": (1, 128),
    "type": (0, 0),
    "queuedcommands": (1, 256),
    "nopinterval": (0, 90),
    "noptimeout": (0, 90),
    "maxconnections": (1, 65535),
    "maxrecvdatasegmentlength": (512, 262144),
    "maxxmitdatasegmentlength": (512, 262144),
    "maxburstlength": (512, 16777215),
    "firstburstlength": (512, 16777215),
    "defaulttime2wait": (0, 3600),
    "defaulttime2retain": (0, 0),
    "maxoutstandingr2t": (1, 65535),
    "errorrecoverylevel": (0, 0),
}
WORDS = {
    "initialr2t": ("Yes", "No"),
    "immediatedata": ("Yes", "No"),
    "datapduinorder": ("Yes",),
    "datasequenceinorder": ("Yes",),
    "ofmarker": ("No",),
    "ifmarker": ("No",),
    "headerdigest": ("None", "CRC32C", "None,CRC32C", "CRC32C,None"),
    "datadigest": ("None", "CRC32C", "None,CRC32C", "CRC32C,None"),
}
OF_TARGET = (
    "wthreads",
    "type",
    "queuedcommands",
    "nopinterval",
    "noptimeout",
)  # read by strtol, not as words


class Died(Exception):
    """The daemon dereferenced a null pointer."""


class Altered(Exception):
    """The daemon would take another value than the one that is written, or lose it, without a word."""


def chunks(data):
    """What fgets gives, call by call."""
    while data:
        end = data.find(b"\n", 0, 4095) + 1 or min(len(data), 4095)
        yield data[:end]
        data = data[end:]


def word(data):
    """The next word and the rest; None where it ends with the data and not with a blank."""
    data = data.lstrip(SPACE)
    at = next((at for at, byte in enumerate(data) if byte in SPACE), None)
    return (None, b"") if at is None else (data[:at], data[at + 1 :])


def number(data):
    match = re.match(rb"\s*([+-]?(?:0[xX][0-9a-fA-F]+|\d+))", data)
    return int(match[1], 0 if match and match[1][:2].lower() == b"0x" else 10) if match else 0


def read_conf(data, strict=()):
    """Targets by name, each {luns, keys, in, out}; and the discovery accounts. In targets of 'strict' nothing may be altered."""
    targets, discovery, section, seen = {}, [], None, None
    for line in chunks(data):
        key, rest = word(line)
        if key is None or key.startswith(b"#"):
            continue
        key = key.decode(errors="surrogateescape").lower()
        careful = section is not None and section in strict
        if key == "target":
            name, rest = word(rest)
            section = seen = None
            if name is not None:
                text = name.decode(errors="surrogateescape")
                if len(name) > 255 and text in strict:
                    raise Altered("the name is cut")
                if text.lower() not in (one.lower() for one in targets) and len(name) <= 255:
                    targets[text] = {"luns": {}, "keys": {}, "in": [], "out": None}
                    section = text
                seen = next((one for one in targets if one.lower() == text.lower()), None)
        elif key in ("incominguser", "outgoinguser"):
            user, rest = word(rest)
            password, rest = word(rest)
            if user is None or password is None:
                if careful:
                    raise Altered("an account is lost")
                continue
            place = targets[seen] if seen else {"in": discovery, "out": None}
            pair = (user.decode(errors="surrogateescape"), password.decode(errors="surrogateescape"))
            if key == "incominguser":
                place["in"].append(pair)
            else:
                if place["out"] and careful:
                    raise Altered("an account is replaced")
                place["out"] = pair
        elif section is not None:
            _setting(targets[section], key, rest, careful)
    return targets, discovery


def _setting(target, key, rest, careful):
    if key == "lun":
        _lun(target, rest, careful)
    elif key == "maxsessions":
        target["keys"][key] = number(rest)
    elif key == "alias":
        if careful:
            raise Altered("the alias is dropped")
    elif key in OF_TARGET:
        target["keys"][key] = _ranged(key, number(rest), careful)
    elif key in NUMBERS or key in WORDS:
        value, rest = word(rest)
        if value is None:
            raise Died(key)
        text = value.decode(errors="surrogateescape")
        if key in NUMBERS:
            target["keys"][key] = _ranged(key, number(value), careful)
        elif text in WORDS[key]:
            target["keys"][key] = text
        elif careful:
            raise Altered(f"{key} {text}")
    elif careful:
        raise Altered(f"{key} is not known")


def _ranged(key, value, careful):
    least, largest = NUMBERS[key]
    if least <= value <= largest:
        return value
    if careful:
        raise Altered(f"{key} becomes {least}")
    return least


def _lun(target, rest, careful):
    match = re.match(rb"\s*([+-]?\d+)(.*)", rest, re.S)
    if match is None:
        raise Died("a LUN without anything")
    where, options = int(match[1]), match[2].strip(SPACE)
    found = {}
    try:
        if not 0 <= where < 16384 or where in target["luns"]:
            raise ValueError("the number")
        for one in filter(None, options.split(b",")):
            key, equals, value = one.partition(b"=")
            key = key.decode(errors="surrogateescape").lower()
            if key in found or not equals:
                raise ValueError(key)
            found[key] = value.decode(errors="surrogateescape")
        _check_options(found)
    except ValueError as error:
        if careful:
            raise Altered(f"the LUN {where} fails: {error}") from error
        return
    target["luns"][where] = found


def _check_options(found):
    known = {"path", "type", "iomode", "scsiid", "scsisn", "blocksize", "blocks", "sectors"}
    if set(found) - known or found.get("type", "fileio") not in ("fileio", "blockio", "nullio"):
        raise ValueError("an option")
    if (found.get("type") == "nullio") == ("path" in found) or any(
        blank in found.get("path", "") for blank in " \t"
    ):
        raise ValueError("the path")
    if found.get("iomode", "wt") not in ("wt", "wb", "ro") or found.get("blocksize", "512") not in (
        "512",
        "1024",
        "2048",
        "4096",
    ):
        raise ValueError("a value")
    serial = found.get("scsisn", "")
    if len(found.get("scsiid", "").encode()) > 16 or len(serial) > 32 or not re.fullmatch(r"[ -~]*", serial):
        raise ValueError("the identity")


def allowed(data, target, initiator="", address="192.0.2.200"):
    """Whether an allow file lets somebody in: the first line of the target or ALL decides. None: there is no file."""
    if data is None:
        return True
    for line in chunks(data):
        if not line.endswith(b"\n"):
            continue
        line = line[:-1]
        name, rest = word(line)
        if name is None or name.startswith(b"#"):
            continue
        text = name.decode(errors="surrogateescape")
        if text == "ALL" or text.lower() == target.lower():
            items = [one.strip(SPACE).decode(errors="surrogateescape") for one in rest.split(b",")]
            return any(_fits(one, initiator, address) for one in items if one)
    return False


def _fits(item, initiator, address):
    if item == "ALL":
        return True
    if initiator and re.fullmatch(item, initiator):  # of what is used here a basic expression means the same
        return True
    where, slash, bits = item.replace("[", "").replace("]", "").partition("/")
    try:
        one, other = ipaddress.ip_address(where), ipaddress.ip_address(address)
        if one.version != other.version:
            return False
        if not slash:
            return one == other
        if int(bits) >= one.max_prefixlen:
            return False
        return other in ipaddress.ip_network(f"{where}/{bits}")  # host bits set: ValueError, and nobody
    except ValueError:
        return False
