# SPDX-License-Identifier: MIT
"""mtrace-gdb.py - a gdb command that says where a block of a traced program was allocated.

    (gdb) source /usr/share/libmtrace/mtrace-gdb.py
    (gdb) mtrace-where pointer

It calls a function of libmtrace.so that takes no lock and waits for nothing, so the process may have stopped anywhere.
"""
import gdb

FUNCTION = "mtrace_where_1"  # queries.c: start, size and number of frames, then the return addresses


def call(address):
    """What the function returns; the other threads stay stopped meanwhile."""
    locking = gdb.parameter("scheduler-locking")
    gdb.execute("set scheduler-locking on", to_string=True)
    try:
        return int(gdb.parse_and_eval(f"((unsigned long (*)(unsigned long)) {FUNCTION})({address}UL)"))
    finally:
        gdb.execute(f"set scheduler-locking {locking}", to_string=True)


def words(address, count):
    kind = gdb.lookup_type("unsigned long").array(count - 1)
    array = gdb.Value(address).cast(kind.pointer()).dereference()
    return [int(array[i]) for i in range(count)]


def function_at(address):
    """With debug information, else by the symbols: "function + 20 of module"."""
    block = gdb.block_for_pc(address)
    while block and not block.function:
        block = block.superblock
    if block:
        return block.function.print_name
    symbol = gdb.execute(f"info symbol {address}", to_string=True).strip()
    if symbol.startswith("No symbol"):
        return f"?? of {gdb.solib_name(address) or 'no object'}"
    return symbol.replace(" in section .text", "")


def describe(number, address):
    call_site = address - 1  # the call is right before
    where = gdb.find_pc_line(call_site)
    line = f"#{number:<3}{address:#018x} in {function_at(call_site)}"
    if where.symtab:
        line += f" at {where.symtab.filename}:{where.line}"
    return line


class MtraceWhere(gdb.Command):
    """Show the block of a traced program that an address lies in: its start, its size, and where it was allocated.
Usage: mtrace-where ADDRESS

The program has to run under libmtrace.so."""

    def __init__(self):
        super().__init__("mtrace-where", gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        if not argument:
            raise gdb.GdbError("usage: mtrace-where ADDRESS")
        address = int(gdb.parse_and_eval(f"(unsigned long) ({argument})"))
        try:
            answer = call(address)
        except gdb.error as e:
            if FUNCTION in str(e):
                raise gdb.GdbError("the program does not run under libmtrace.so, or an older one") from e
            raise
        if not answer:
            raise gdb.GdbError(f"{address:#x} is in no recorded block")
        start, size, count = words(answer, 3)
        print(f"{address:#x} is {address - start} bytes into a block of {size} bytes at {start:#x}, allocated by")
        for number, frame in enumerate(words(answer + 24, count) if count else []):
            print(describe(number, frame))


MtraceWhere()
