# SPDX-License-Identifier: MIT
"""untree.py - lets code reach a large variable by a pointer to it, so that it takes no address space until it is needed.

usage: untree.py OBJECT VARIABLE POINTER SIZE

The code in OBJECT, which is changed in place, takes the address of VARIABLE by one instruction: it loads it from a word
that the linker makes (mov, R_X86_64_REX_GOTPCRELX), or counts it from its own (lea, R_X86_64_PC32). Each becomes a load of
the word POINTER, which is as long. The variable is cut out of .bss, and its size written to the word SIZE; both are defined
in OBJECT. Where some instruction does something else with VARIABLE, all stays as it is.
"""
import struct
import sys

from relocatable import R_PC32, SHT_NOBITS, STT_SECTION, change

R_GOTPCREL, R_GOTPCRELX, R_REX_GOTPCRELX = 9, 41, 42
REX_W, MOV, LEA, BY_RIP = 0x48, 0x8b, 0x8d, 0x05
UNIT = 4096  # what is behind the variable stays as aligned as it is


def references(thing, variable):
    """Places of the relocations, with that of the instruction's second byte; None: one can't be changed."""
    found = []
    for at, about in thing.relocations():
        offset, how, number, addend = struct.unpack_from("<QIIq", thing.data, at)
        if number != variable:
            continue
        code = thing.section(about)[4] + offset - 3
        rex, operation, mode = thing.data[code:code + 3]
        wanted = LEA if how == R_PC32 else MOV
        if (how not in (R_PC32, R_GOTPCREL, R_GOTPCRELX, R_REX_GOTPCRELX) or addend != -4 or
                rex & 0xf8 != REX_W or operation != wanted or mode & 0xc7 != BY_RIP):
            return None
        found.append((at, code + 1))
    return found


def cut(thing, variable):
    """Takes whole units of it out of its section; the bytes that it had."""
    symbol = thing.symbols[variable]
    index, start, size = struct.unpack_from("<HQQ", thing.data, symbol + 6)
    header = thing.headers[index]
    gone = size // UNIT * UNIT
    if thing.section(header)[1] != SHT_NOBITS:
        raise ValueError("the variable isn't in .bss")
    for at in thing.symbols:
        where, value = struct.unpack_from("<HQ", thing.data, at + 6)
        if where == index and value > start:
            struct.pack_into("<Q", thing.data, at + 8, value - gone)
    sections = {number for number, at in enumerate(thing.symbols) if thing.data[at + 4] & 15 == STT_SECTION
                and struct.unpack_from("<H", thing.data, at + 6)[0] == index}
    for at, _ in thing.relocations():
        number, addend = struct.unpack_from("<Iq", thing.data, at + 12)
        if number in sections and addend > start + size // 2:
            struct.pack_into("<q", thing.data, at + 16, addend - gone)
    struct.pack_into("<Q", thing.data, symbol + 16, size - gone)
    struct.pack_into("<Q", thing.data, header + 32, thing.section(header)[5] - gone)
    return size


def put(thing, name, value):
    index, offset = struct.unpack_from("<HQ", thing.data, thing.symbols[thing.number(name)] + 6)
    struct.pack_into("<Q", thing.data, thing.section(thing.headers[index])[4] + offset, value)


def main(path, variable, pointer, size):
    def untree(thing):
        number = thing.number(variable)
        found = references(thing, number)
        if not found:
            return
        for at, operation in found:
            struct.pack_into("<II", thing.data, at + 8, R_PC32, thing.number(pointer))
            thing.data[operation] = MOV
        put(thing, size, cut(thing, number))

    change(path, untree)


main(*sys.argv[1:])
