# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of lines as people, editors and other tools write them, and small readers of them, written from the sources in C.

The readers know nothing of ours: they go byte by byte, as the programs do.
"""

from __future__ import annotations

import re

from hypothesis import strategies as st

SPACE = b" \t\n\v\f\r"  # isspace(3) in the C locale

# What stands in such files without being an assignment.
NOISE = st.sampled_from(
    [
        "",
        "#",
        "# BEGIN RECORD 2.1.8",
        "# END RECORD",
        "# To log in at boot:",
        "#" + "-" * 60,
        "# caf\udce9",
        "# a\u2028b",
        "# a\x85b",
        "# a\fb",
        "\ufeff",
        "[Service]",
        "include /etc/iscsi/local.conf",
        "node.startup automatic",
        "x" * 1500,
        "#" + "x" * 2100,
        "a\0b",
        "*******",
    ]
)
ENDS = st.sampled_from(["\n", "\n", "\n", "\r\n"])
EQUALS = st.sampled_from([" = ", " = ", "=", " =", "= ", "\t=\t", "==", " : ", "  =   "])
BEGINNINGS = st.sampled_from(["", "", "", " ", "\t", "#", "# ", ";", "x\u2028", "x\f", "Old", "\ufeff"])
TAILS = st.sampled_from(["", "", "", " ", " # was 8", "\t", ";", " \u2028"])


def assignments(names, values):
    """Lines that give settings a value, or look like it."""
    parts = st.tuples(BEGINNINGS, names, EQUALS, values, TAILS)
    return parts.map("".join)


@st.composite
def texts(draw, names, values):
    """A whole file; its last line may have no end."""
    some = draw(
        st.lists(st.one_of(assignments(names, values), assignments(names, values), NOISE), max_size=9)
    )
    text = "".join(line + draw(ENDS) for line in some)
    return text[:-1] if draw(st.integers(0, 4)) == 0 else text


def fgets(data, size):
    """fgets(3), again and again: at most size - 1 bytes, up to a line feed; what C then takes for the string."""
    at = 0
    while at < len(data):
        end = at
        while end < len(data) and end - at < size - 1:
            end += 1
            if data[end - 1] == 10:
                break
        piece, at = data[at:end], end
        yield piece[: piece.index(0)] if 0 in piece else piece


def stripped(line):
    while line and line[-1] in SPACE:
        line = line[:-1]
    while line and line[0] in SPACE:
        line = line[1:]
    return line


def idbm_lines(text):
    """Names and values in the order of the file: usr/idbm.c, idbm_recinfo_config()."""
    for line in fgets(text.encode("utf-8", "surrogateescape"), 2048):
        if not line or line[-1] != 10:
            continue
        line = stripped(line)
        if not line or line[0] == ord("#"):
            continue
        at, name = 0, b""
        while at < len(line) and line[at] not in SPACE and line[at] != ord("="):
            name += line[at : at + 1]
            at += 1
        if at == len(line):
            continue
        at += 1
        while at < len(line) and line[at] in SPACE:
            at += 1
        if at == len(line) or line[at] != ord("="):
            continue
        at += 1
        while at < len(line) and line[at] in SPACE:
            at += 1
        if at < len(line):
            yield name.decode("utf-8", "surrogateescape"), line[at:].decode("utf-8", "surrogateescape")


def strtoul(text):
    """strtoul(text, NULL, 10), kept in an int."""
    text = text.lstrip(SPACE.decode())
    sign = text[:1] if text[:1] in ("-", "+") else ""
    digits = ""
    for letter in text[len(sign) :]:
        if letter not in "0123456789":
            break
        digits += letter
    whole = int(digits or "0")
    whole = 2**64 - 1 if whole >= 2**64 else (2**64 - whole) % 2**64 if sign == "-" else whole
    low = whole % 2**32
    return low - 2**32 if low >= 2**31 else low


def idbm(text, numbers=(), words=None):
    """What is in force: the last line of each name that idbm_rec_update_param() takes."""
    found = {}
    for name, value in idbm_lines(text):
        if name in numbers:
            found[name] = str(strtoul(value))
        elif name not in (words or {}) or value in words[name]:
            found[name] = value
    return found


def cfg(text, key):
    """usr/iscsi_util.c, cfg_get_string_param()."""
    key = key.encode()
    for line in fgets(text.encode("utf-8", "surrogateescape"), 1024):
        at = line.find(key)
        if at < 0 or 0 <= line.find(b"#") < at:
            continue
        equals = line.find(b"=", at)
        value = stripped(line[equals + 1 :]) if equals >= 0 else b""
        if value:
            return value.decode("utf-8", "surrogateescape")
    return None


def grep(pattern, text):
    """Whether grep -q finds it: a line for grep is what ends in a line feed."""
    return any(re.match(pattern, line) for line in text.split("\n"))


def others(text, name):
    """The lines of a file that do not give this setting a value, each with its end."""
    pieces = re.split("(?<=\n)", text)
    return [
        piece
        for piece in pieces
        if piece and not re.match(rf"[ \t\v\f\r]*{re.escape(name)}[ \t\v\f\r]*=", piece)
    ]


def sysctl(files, names):
    """What systemd-sysctl sets these names to: src/sysctl/sysctl.c, parse_file() and apply_all()."""
    options = []
    for path in sorted(files, key=lambda one: one.rpartition("/")[2]):
        for line in re.split("[\n\r\0]", files[path]):
            line = line.strip(" \t\n\r")
            if not line or line[0] in "#;" or ("=" not in line and line[0] != "-"):
                continue
            key, equals, value = line.partition("=")
            key = key[1:] if key[0] == "-" else key
            key, value = key.strip(" \t\n\r"), value.strip(" \t\n\r") if equals else None
            sign = re.search("[./]", key)
            key = key.translate({46: 47, 47: 46}) if sign and sign[0] == "." else key
            if (key, value) in options:
                continue
            options = [pair for pair in options if pair[0] != key] + [(key, value)]
    found = {}
    explicit = {key for key, _value in options if not re.search(r"[*?\[]", key)}
    for key, value in options:
        pattern = re.escape(key).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
        for name in names:
            if value is not None and (key == name or name not in explicit and re.fullmatch(pattern, name)):
                found[name] = value
    return found


def exec_start(files):
    """The commands of a unit: its file and its drop-ins, as systemd.syntax(7) and systemd.service(5) say."""
    found = []
    for text in files:
        section = ""
        joined = re.sub(r"\\\n(?:[ \t]*[#;][^\n]*\n)*[ \t]*", " ", text.replace("\r\n", "\n"))
        for line in joined.split("\n"):
            line = line.strip(" \t\r")
            if line.startswith("["):
                section = line
            elif section == "[Service]" and re.match(r"ExecStart\s*=", line):
                value = line.partition("=")[2].strip(" \t\r")
                found = [*found, value] if value else []
    return found
