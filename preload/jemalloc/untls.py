# SPDX-License-Identifier: MIT
"""untls.py - lets code reach its thread data by an offset that is a variable, not the loader's.

usage: untls.py OBJECT OFFSET DATA

The code in OBJECT, which is changed in place, reaches its thread-local data in the initial-exec way: one instruction
loads an offset from a word that the linker makes and the loader fills in (R_X86_64_GOTTPOFF), the next adds the thread
pointer. Each such load becomes one of the variable OFFSET, which is defined in OBJECT; the data become ordinary ones, of
which there is one copy, and the undefined symbol DATA their start. Whoever calls in first sets OFFSET to the distance from
the thread pointer to DATA. So nothing is taken of the static thread storage, of which a library that is loaded late, or
into a name space of its own, gets next to none.
"""
import struct
import sys

from relocatable import R_PC32, SHF_TLS, STT_OBJECT, STT_TLS, change

R_GOTTPOFF = 22
R_OTHER_THREAD_LOCAL = {16, 17, 18, 19, 20, 21, 23, 34, 35, 36}


def change_loads(thing, variable):
    count = 0
    for at, _ in thing.relocations():
        how, = struct.unpack_from("<I", thing.data, at + 8)
        if how in R_OTHER_THREAD_LOCAL:
            raise ValueError(f"thread data are reached in another way (relocation {how})")
        if how == R_GOTTPOFF:
            struct.pack_into("<II", thing.data, at + 8, R_PC32, variable)
            count += 1
    if not count:
        raise ValueError("no thread data")


def change_data(thing, start):
    for header in thing.headers:
        flags = thing.section(header)[2]
        struct.pack_into("<Q", thing.data, header + 8, flags & ~SHF_TLS)
    [data] = [at for at in thing.symbols if thing.data[at + 4] & 15 == STT_TLS]
    thing.data[data + 4] = thing.data[data + 4] & ~15 | STT_OBJECT
    entry = thing.symbols[start]
    thing.data[entry + 4:entry + 24] = thing.data[data + 4:data + 24]


def main(path, offset, data):
    def untls(thing):
        change_loads(thing, thing.number(offset))
        change_data(thing, thing.number(data))

    change(path, untls)


main(*sys.argv[1:])
