# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of multipath as other people write them, a reader of its own for them, and a host with a multipath that uses it.

The reader goes character by character, as libmpathutil/parser.c does; it shares nothing with the collection's own.
"""

from __future__ import annotations

import re

from hypothesis import strategies as st

from ansible_collections.lunworks.iscsi.tests.unit.scripted import ScriptedHost

MAIN, DROP_INS = "/etc/multipath.conf", "/etc/multipath/conf.d"
BINDINGS = "/etc/multipath/bindings"
WWIDS = tuple(f"36001405{digit * 25}" for digit in "abcd")
LOOSE = {"defaults", "blacklist", "blacklist_exceptions", "devices", "device", "multipaths", "multipath"}
NESTED = {
    None: {"defaults", "blacklist", "blacklist_exceptions", "devices", "overrides", "multipaths"},
    "blacklist": {"device"},
    "blacklist_exceptions": {"device"},
    "devices": {"device"},
    "overrides": {"protocol"},
    "multipaths": {"multipath"},
}

# ---- what people have ----

GUIDES = (
    # RHEL, mpathconf --enable --with_multipathd y
    'defaults {\n\tuser_friendly_names yes\n\tfind_multipaths yes\n}\n\nblacklist {\n}\n',
    # Debian, /usr/share/doc/multipath-tools/examples, commented out
    "#defaults {\n#\tuser_friendly_names no\n#}\n#blacklist {\n#       wwid 26353900f02796769\n#}\n",
    # an array's guide of 2008: everything in capitals and blanks
    'defaults{\n  user_friendly_names   yes\n   polling_interval 10 \n}\ndevices {\n device {\n  vendor   "NETAPP"\n'
    '  product  "LUN.*"\n  path_grouping_policy group_by_prio\n  features "1 queue_if_no_path"\n  no_path_retry queue\n }\n}\n',
    # another one, braces on lines of their own, old comment signs
    "! Storage of the second floor\ndefaults\n{\n\tuser_friendly_names\tno ! not here\n\tpath_checker tur\n}\nmultipaths\n{\n"
    f'\tmultipath\n\t{{\n\t\twwid\t"{WWIDS[0]}" # data\n\t\talias\tdata\n\t}}\n}}\n',
    # SUSE's and IBM's style: blacklist with exceptions
    'blacklist {\n    wwid ".*"\n    devnode "^(ram|raw|loop|fd|md|dm-|sr|scd|st)[0-9]*"\n}\nblacklist_exceptions {\n'
    f'    wwid "{WWIDS[1]}"\n    property "(SCSI_IDENT_|ID_WWN)"\n}}\n',
    # overrides with a protocol
    'overrides {\n no_path_retry fail\n protocol {\n  type "scsi:iscsi"\n  fast_io_fail_tmo 5\n }\n}\n',
    # aliases with prefix, and a name with a blank
    f'defaults {{\n alias_prefix "lun_"\n user_friendly_names yes\n}}\nmultipaths {{\n multipath {{\n  wwid {WWIDS[2]}\n'
    '  alias "old data"\n  no_path_retry 5\n }\n}\n',
    "devices {\n\tdevice {\n\t\tvendor \"PURE\"\n\t\tproduct \"FlashArray\"\n"
    "\t\tfast_io_fail_tmo 10\n\t\tpath_selector \"service-time 0\"\n\t}\n}",
    "devices { # HPE\r\n\tdevice {\r\n\t\tvendor \"3PARdata\"\r\n\t\tproduct \"VV\"\r\n\t\tno_path_retry 18\r\n\t}\r\n}\r\n",
    "",
    "\n\n",
)  # fmt: skip

blank = st.sampled_from(["", " ", "\t", "  \t", "\f", "\xa0"])
gap = st.sampled_from([" ", "\t", "   ", " \t "])
behind = st.sampled_from(["", "", "", " ", "\t# why", " ! old", "!x", "#x", " rest", " }", "\r"])
keyword = st.sampled_from(
    [
        "alias",
        "alias",
        "wwid",
        "wwid",
        "no_path_retry",
        "user_friendly_names",
        "path_selector",
        "alias_prefix",
    ]
    + ["vendor", "product", "foo", "prio_args"]
)
bare = st.sampled_from(
    [*WWIDS, *WWIDS, WWIDS[0].upper(), "data", "log", "mpatha", "a/b", "yes", "no", "queue", "12", "lun_"]
    + ["LIO-ORG", ".*", 'da"ta', "da!ta", "da{ta", "dät"]
)
quoted = st.one_of(bare, st.sampled_from(["", "old data", "# no comment", "! neither", "{", 'a""b', "dät"]))
value = st.one_of(
    bare,
    st.builds(lambda text: f'"{text}"', quoted),
    st.builds(lambda text: f'"{text}', quoted),
    st.just(""),
)
setting = st.builds("{}{}{}{}{}".format, blank, keyword, gap, value, behind)
odd = st.sampled_from(
    ["", "#", "! a comment", "{", "}", "foo {", '"wwid" x', "wwid", "defaults", "}}", "x" * 1030, "a\0b"]
)
line = st.one_of(setting, setting, setting, odd)
opening = st.sampled_from(["{0} {{", "{0}{{", "\t{0}  {{ # x", "{0}\n{{", "{0} {{ wwid x", "{0}", "{0} x"])
closing = st.sampled_from(["}", "}", "}", "  }", "}} x", "} ! x", ""])


@st.composite
def sections(draw):
    """A section with those in it that its kind has, tidy or not."""
    name = draw(st.sampled_from(sorted(NESTED[None] | {"foo"}) + ["multipaths", "multipaths", "defaults"]))
    lines = draw(st.lists(line, max_size=3))
    for inner in sorted(NESTED.get(name, ())):
        for _number in range(draw(st.integers(0, 2))):
            own = draw(st.lists(line, max_size=4))
            if inner == "multipath" and draw(st.booleans()):
                own = [
                    f"wwid {draw(st.sampled_from(WWIDS))}",
                    f"alias {draw(st.sampled_from(['data', 'log', 'x']))}",
                    *own,
                ]
            lines += [draw(opening).format(inner), *own, draw(closing)]
    return "\n".join([draw(opening).format(name), *lines, draw(closing)])


texts = st.one_of(
    st.sampled_from(GUIDES),
    st.builds(
        lambda parts, end: "\n".join(parts) + end,
        st.lists(sections(), max_size=3),
        st.sampled_from(["\n", "", "\r\n"]),
    ),
)
names = st.sampled_from(["10-site", "netapp", "zz-last", "lunworks2", ".hidden"])
configurations = st.builds(
    lambda main, drop_ins: {
        **({MAIN: main} if main is not None else {}),
        **{f"{DROP_INS}/{k}.conf": v for k, v in drop_ins.items()},
    },
    st.one_of(st.none(), texts),
    st.dictionaries(names, texts, max_size=2),
)
bindings = st.lists(
    st.one_of(
        st.builds(
            "{} {}".format, st.sampled_from(["mpatha", "mpathb", "lun_a", "mpathaa"]), st.sampled_from(WWIDS)
        ),
        st.sampled_from(
            ["# Multipath bindings, Version : 1.0", "", "mpathc", "mpatha\t" + WWIDS[1] + " x # y", "\t"]
        ),
    ),
    max_size=4,
).map(lambda lines: "".join(f"{line}\n" for line in lines))


# ---- what multipath makes of it ----


def words(buffer):
    """alloc_strvec; a quote is None."""
    at, found, inside = 0, [], False
    while at < len(buffer) and (buffer[at].isspace() or ord(buffer[at]) > 127):
        at += 1
    if at == len(buffer) or buffer[at] in "!#":
        return []
    while True:
        begin = at
        if buffer[at] == '"' and not (inside and buffer[at + 1 : at + 2] == '"'):
            inside = not inside
            at += 1
            found.append(None)
        elif not inside and buffer[at] in "{}":
            at += 1
            found.append(buffer[begin])
        else:
            while at < len(buffer):
                if buffer[at] == '"':
                    if inside and buffer[at + 1 : at + 2] == '"':
                        at += 2
                        continue
                    break
                if not inside and (buffer[at].isspace() or ord(buffer[at]) > 127 or buffer[at] in "!#{}"):
                    break
                at += 1
            found.append(buffer[begin:at].replace('""', '"') if inside else buffer[begin:at])
        while not inside and at < len(buffer) and (buffer[at].isspace() or ord(buffer[at]) > 127):
            at += 1
        if at >= len(buffer) or (not inside and buffer[at] in "!#"):
            return found


def read(text):
    """The settings of one file: (path of section names with their numbers, keyword, value), in order."""
    found, stack, number = [], [], 0
    data = text.encode(errors="surrogateescape")
    lines = []
    while data:
        end = data.find(b"\n")
        taken = min(1023, end + 1 if end >= 0 else len(data))
        lines.append(data[:taken])
        data = data[taken:]
    for raw in lines:
        told = words(raw.split(b"\0")[0].strip(b"\r\n").split(b"\r")[0].split(b"\n")[0].decode("latin-1"))
        if not told or told[0] is None or told[0] == "{":
            continue
        if told[0] == "}":
            if stack:
                stack.pop()
            continue
        valid, said = judged(told)
        if told[0] in NESTED.get(stack[-1][0] if stack else None, ()):
            if told[0] in LOOSE or valid:
                number += 1
                stack.append((told[0], number))
                found.append((tuple(stack), None, None))
        elif stack and valid and told[0] not in LOOSE:
            found.append((tuple(stack), told[0], said.encode("latin-1").decode(errors="surrogateescape")))
    return found


def judged(told):
    """validate_config_strvec and set_value: whether the line counts, and its value."""
    if len(told) == 1:
        return False, ""
    if told[1] is not None:
        return True, told[1]
    if len(told) == 2 or told[2] is None:
        return True, ""
    return (len(told) == 3 or told[3] is None), told[2]


def merged(files):
    """All files together: {'defaults': {...}, 'overrides': {...}, 'devices': [...], 'multipaths': {wwid: {...}}}."""
    whole = {"defaults": {}, "overrides": {}, "devices": [], "multipaths": {}}
    drop_ins = sorted(path for path in files if path.startswith(f"{DROP_INS}/") and path.endswith(".conf"))
    for path in [MAIN, *drop_ins]:
        entries = {}
        for place, key, said in read(files.get(path) or ""):
            kinds = tuple(name for name, _number in place)
            if kinds in (("defaults",), ("overrides",)) and key:
                whole[kinds[0]][key] = said
            elif kinds in (("devices", "device"), ("multipaths", "multipath")):
                entry = entries.setdefault(place, (kinds[0], {}))[1]
                if key and not (key == "alias" and "/" in said):
                    entry[key] = said
        for kind, entry in entries.values():
            if kind == "devices":
                whole["devices"].append(entry)
            elif "wwid" in entry:
                whole["multipaths"].setdefault(entry["wwid"], {}).update(entry)
    given = {}
    for wwid, entry in sorted(whole["multipaths"].items()):
        if "alias" in entry and given.setdefault(entry["alias"], wwid) != wwid:
            del entry["alias"]
    return whole


def dump(whole):
    """As 'multipath -t' prints it."""

    def lines(entry):
        return [f'\t{key} "' + said.replace('"', '""') + '"' for key, said in entry.items()]

    told = ["defaults {", *lines(whole["defaults"]), "}", "devices {"]
    for entry in whole["devices"]:
        told += ["device {", *lines(entry), "}"]
    told += ["}", "overrides {", *lines(whole["overrides"]), "}", "multipaths {"]
    for entry in whole["multipaths"].values():
        told += ["multipath {", *lines(entry), "}"]
    return "\n".join([*told, "}", ""])


class MultipathHost(ScriptedHost):
    """A host with maps and a multipathd that reads its files when it is told to, and renames its maps then."""

    def __init__(self, files, maps, runs=True, **more):
        super().__init__(files, changing=["multipathd reconfigure"], **more)
        for number, (wwid, name) in enumerate(maps.items()):
            place = f"/sys/class/block/dm-{number}"
            self.files.update({f"{place}/dm/name": f"{name}\n", f"{place}/dm/uuid": f"mpath-{wwid}\n"})
            self.files.update(
                {f"{place}/slaves/sd{'abcdefgh'[number]}": "", f"/dev/dm-{number}": {"kind": "block"}}
            )
            disk = f"/sys/class/block/sd{'abcdefgh'[number]}/device"
            self.files.update(
                {f"{disk}/vendor": "LIO-ORG \n", f"{disk}/model": "db0\n", f"{disk}/rev": "4.0\n"}
            )
        self.running, self.loaded = runs, dump(merged(self.texts()))
        self._link()

    def texts(self):
        found = {
            path: self.read(path) for path in self.files if path.startswith(("/etc/multipath.conf", DROP_INS))
        }
        return {path: text for path, text in found.items() if text is not None}

    def maps(self):
        """WWID: name."""
        found = [path[: -len("/uuid")] for path in self.files if path.endswith("/dm/uuid")]
        return {
            self.read(f"{one}/uuid").strip()[len("mpath-") :]: self.read(f"{one}/name").strip()
            for one in found
        }

    def run(self, *argv, ok=(0,), timeout=60, stdin=""):
        line = " ".join(argv)
        if line == "multipath -t":
            self.runs[line] = dump(merged(self.texts()))
        elif line == "multipathd show config":
            self.runs[line] = self.loaded
        elif argv[0] == "unshare":
            self.runs[line] = dump(merged({**self.texts(), argv[-1]: stdin}))
        elif line.startswith("systemctl show"):
            self.runs[line] = f"ActiveState={'active' if self.running else 'inactive'}\n"
        elif line.startswith("systemctl cat"):
            self.runs[line] = "[Unit]\n"
        elif line == "multipathd reconfigure":
            self._reconfigure()
        return super().run(*argv, ok=ok, timeout=timeout, stdin=stdin)

    def _reconfigure(self):
        whole = merged(self.texts())
        self.loaded = dump(whole)
        for path in [path for path in self.files if path.endswith("/dm/uuid")]:
            place, wwid = path[: -len("/uuid")], self.read(path).strip()[len("mpath-") :]
            others = {name for one, name in self.maps().items() if one != wwid}
            name, new = called(whole, self.read(BINDINGS) or "", wwid, self.maps()[wwid], others)
            if new:
                self.files[BINDINGS] = f"{self.read(BINDINGS) or ''}{name} {wwid}\n"
            if name not in others:
                self.files[f"{place}/name"] = f"{name}\n"
        self._link()

    def _link(self):
        for path in [path for path in self.files if path.startswith("/dev/mapper/")]:
            del self.files[path]
        for path in [path for path in self.files if path.endswith("/dm/name")]:
            self.files[f"/dev/mapper/{self.read(path).strip()}"] = {"link": f"../{path.split('/')[4]}"}


def called(whole, bound, wwid, name, others):
    """The name of a map, and whether it is a new line of the bindings file (propsel.c, select_alias; alias.c)."""
    own = whole["multipaths"].get(wwid, {})
    if own.get("alias"):
        return own["alias"], False
    devices = reversed([one for one in whole["devices"] if of_lio(one)])
    told = [own, whole["overrides"], *devices, whole["defaults"]]
    if next((one["user_friendly_names"] for one in told if "user_friendly_names" in one), "no") != "yes":
        return wwid, False
    first = {}
    for line in bound.split("\n"):
        pair = line.split("#")[0].split()[:2]
        if len(pair) == 2:
            first.setdefault(*pair)
    if first.get(name) == wwid:
        return name, False
    for alias, whose in first.items():
        if whose == wwid:
            return (wwid if alias in others else alias), False
    prefix = next((one["alias_prefix"] for one in told[1:] if one.get("alias_prefix")), "mpath")
    rest = name[len(prefix) :]
    if name.startswith(prefix) and re.fullmatch("[a-z]{1,7}", rest) and name not in first:
        return name, True
    letters = (prefix + letter for letter in "abcdefghijklmnop")
    return next(one for one in letters if one not in first and one not in others), True


def of_lio(entry):
    try:
        return re.search(entry.get("vendor", ""), "LIO-ORG") and re.search(entry.get("product", ""), "db0")
    except re.error:
        return False
