# Copyright: (c) 2026, The lunworks.iscsi authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a compute host: tries to write to LUNs, by every path, and notes when it could.

    writers_try.py FILE BLOCK WWID...

It writes a block of its own, counted from the end, where no volume reaches. The target is asked itself (SG_IO,
Linux include/scsi/sg.h): what the kernel thinks of the disk does not matter, and udev hears of no writer. A line of JSON for
each time that it could: the LUN, when the first of the tries was done with no refused one since, and when this one began.
"""

from __future__ import annotations

import ctypes
import fcntl
import glob
import json
import os
import struct
import sys
import time

from reading import read

EVERY = 1.0  # seconds
LONG = 5.0  # between two tries much can happen: they say nothing of what was between
SG_IO, TO_DEVICE = 0x2285, -2
HEADER = "@iiBBHIPPPIIiPBBBBHHiII0P"  # struct sg_io_hdr
WRITE_10 = 0x2A
SIZE = 512


def address(buffer):
    return ctypes.addressof(buffer)


def write(device, block):
    """Whether the target took it."""
    given = ctypes.create_string_buffer(f"{time.time()}".encode(), SIZE)
    command = ctypes.create_string_buffer(struct.pack(">BBIBHB", WRITE_10, 0, block, 0, 1, 0), 10)
    sense = ctypes.create_string_buffer(32)
    places = address(given), address(command), address(sense)
    words = [ord("S"), TO_DEVICE, 10, 32, 0, SIZE, *places, 5000, *[0] * 12]
    header = bytearray(struct.pack(HEADER, *words))
    handle = os.open(device, os.O_RDONLY | os.O_NONBLOCK)
    try:
        fcntl.ioctl(handle, SG_IO, header)
    finally:
        os.close(handle)
    status, of_host, of_driver = (struct.unpack(HEADER, header)[index] for index in (13, 17, 18))
    return not (status or of_host or of_driver)


def paths(wwid):
    """The disks that are paths of a LUN, and their sizes in blocks of 512 bytes."""
    for directory in glob.glob("/sys/block/sd*"):
        if read(f"{directory}/device/wwid") == f"naa.{wwid[1:]}":
            yield f"/dev/{os.path.basename(directory)}", int(read(f"{directory}/size") or 0)


def could(wwid, own):
    """Whether one path let it write, when that was begun, and when it was done."""
    began = time.time()
    for device, size in paths(wwid):
        began = time.time()
        try:
            if write(device, size - own):
                return True, began, time.time()
        except OSError:
            continue
    return False, began, time.time()


def main(file, own, wwids):
    runs = {}  # of each LUN: when its first try was done, and when its last one
    while True:
        for wwid in wwids:
            wrote, began, done = could(wwid, own)
            first, last = runs.pop(wwid, (done, done))
            if wrote:
                runs[wwid] = (first if began - last < LONG else done, done)
                file.write(json.dumps({"wwid": wwid, "first": runs[wwid][0], "last": began}) + "\n")
                file.flush()
        time.sleep(EVERY)


if __name__ == "__main__":
    with open("/proc/self/comm", "w") as name:
        name.write("scsi_id")  # it opens every disk for a moment, as that does
    with open(sys.argv[1], "a") as file:
        main(file, int(sys.argv[2]), sys.argv[3:])
