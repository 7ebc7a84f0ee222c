# SPDX-License-Identifier: MIT
"""relocatable.py - a relocatable object for x86-64: its sections, symbols and relocations, to be changed in place."""
import struct
import sys

SHT_SYMTAB, SHT_RELA, SHT_NOBITS, SHF_TLS = 2, 4, 8, 0x400
STT_OBJECT, STT_SECTION, STT_TLS = 1, 3, 6
R_PC32 = 2
MACHINE_X86_64 = 62


class Object:
    def __init__(self, data):
        if data[:6] != b"\x7fELF\x02\x01" or struct.unpack_from("<H", data, 18)[0] != MACHINE_X86_64:
            raise ValueError("only 64-bit objects for x86-64 are known")
        self.data = data
        at, = struct.unpack_from("<Q", data, 40)
        size, count = struct.unpack_from("<HH", data, 58)
        self.headers = [at + i * size for i in range(count)]
        [symbols] = [h for h in self.headers if self.section(h)[1] == SHT_SYMTAB]
        _, _, _, _, offset, length, names = self.section(symbols)
        self.symbols = range(offset, offset + length, 24)
        self.names = self.section(self.headers[names])[4]

    def section(self, header):
        """name, type, flags, address, offset, size, link."""
        return struct.unpack_from("<IIQQQQI", self.data, header)

    def number(self, name):
        """Of the symbol with this name."""
        for number, at in enumerate(self.symbols):
            start = self.names + struct.unpack_from("<I", self.data, at)[0]
            if self.data[start:self.data.index(b"\0", start)] == name.encode():
                return number
        raise ValueError(f"no symbol {name}")

    def relocations(self):
        """Places of all, with the header of the section that each is about."""
        for header in self.headers:
            _, kind, _, _, offset, size, _ = self.section(header)
            if kind == SHT_RELA:
                about, = struct.unpack_from("<I", self.data, header + 44)
                for at in range(offset, offset + size, 24):
                    yield at, self.headers[about]


def change(path, how):
    """Lets a function change the object in a file."""
    with open(path, "r+b") as file:
        try:
            thing = Object(bytearray(file.read()))
            how(thing)
        except ValueError as error:
            sys.exit(f"{sys.argv[0]}: {path}: {error}")
        file.seek(0)
        file.write(thing.data)
