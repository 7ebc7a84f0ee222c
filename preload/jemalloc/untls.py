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

R_PC32, R_GOTTPOFF = 2, 22
R_OTHER_THREAD_LOCAL = {16, 17, 18, 19, 20, 21, 23, 34, 35, 36}
SHT_SYMTAB, SHT_RELA, SHF_TLS = 2, 4, 0x400
STT_OBJECT, STT_TLS = 1, 6
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

    def change_loads(self, variable):
        count = 0
        for header in self.headers:
            _, kind, _, _, offset, size, _ = self.section(header)
            for at in range(offset, offset + size, 24) if kind == SHT_RELA else ():
                how, = struct.unpack_from("<I", self.data, at + 8)
                if how in R_OTHER_THREAD_LOCAL:
                    raise ValueError(f"thread data are reached in another way (relocation {how})")
                if how == R_GOTTPOFF:
                    struct.pack_into("<II", self.data, at + 8, R_PC32, variable)
                    count += 1
        if not count:
            raise ValueError("no thread data")

    def change_data(self, start):
        for header in self.headers:
            flags = self.section(header)[2]
            struct.pack_into("<Q", self.data, header + 8, flags & ~SHF_TLS)
        [data] = [at for at in self.symbols if self.data[at + 4] & 15 == STT_TLS]
        self.data[data + 4] = self.data[data + 4] & ~15 | STT_OBJECT
        entry = self.symbols[start]
        self.data[entry + 4:entry + 24] = self.data[data + 4:data + 24]


def main(path, offset, data):
    with open(path, "r+b") as file:
        try:
            thing = Object(bytearray(file.read()))
            thing.change_loads(thing.number(offset))
            thing.change_data(thing.number(data))
        except ValueError as error:
            sys.exit(f"untls.py: {path}: {error}")
        file.seek(0)
        file.write(thing.data)


main(*sys.argv[1:])
