# app.s - a program that never runs: its symbols and debug information are the same with every compiler, so that what
# mtracer says of them can be compared to the letter. The golden traces point into it.
#
#   text + 0x000  main         /src/app/main.c       0x00: line 40   0x10: line 41   0x20: line 42
#   text + 0x100  build_table  /src/app/table.c      0x00: line 20   0x20: line 23
#        + 0x110  reserve      /src/app/table.h      line 7, inlined into build_table at line 22
#   text + 0x200  xmalloc      /src/app/alloc.c      line 5
#   text + 0x300  parse_line   /src/app/lib/table.c  0x00: line 12   0x10: line 13
#   text + 0x400  no_lines     a symbol without debug information

	.file 1 "/src/app/main.c"
	.file 2 "/src/app/table.c"
	.file 3 "/src/app/table.h"
	.file 4 "/src/app/alloc.c"
	.file 5 "/src/app/lib/table.c"

	.macro function name
	.globl \name
	.type \name, @function
\name:
	.endm

	.macro instructions # 16 bytes; a line starts at an instruction, not at a filler
	nop
	.skip 0xf, 0x90
	.endm

	.text
begin:
	function main
	.loc 1 40
	instructions
	.loc 1 41
	instructions
	.loc 1 42
	instructions
	.size main, . - main
	.org 0x100, 0x90
	function build_table
	.loc 2 20
	instructions
	.loc 3 7
	instructions
	.loc 2 23
	instructions
	.size build_table, . - build_table
	.org 0x200, 0x90
	function xmalloc
	.loc 4 5
	instructions
	.size xmalloc, . - xmalloc
	.org 0x300, 0x90
	function parse_line
	.loc 5 12
	instructions
	.loc 5 13
	instructions
	.size parse_line, . - parse_line
end:
	.org 0x400, 0x90
	function no_lines
	.skip 0x10, 0x90
	.size no_lines, . - no_lines

	.section .debug_line, "", @progbits
lines:

	.section .debug_abbrev, "", @progbits
abbreviations:
	.uleb128 1, 0x11	# compile unit, with children
	.byte 1
	.uleb128 0x03, 0x08	# name: string
	.uleb128 0x1b, 0x08	# directory: string
	.uleb128 0x13, 0x0b	# language: data1
	.uleb128 0x10, 0x17	# lines: section offset
	.uleb128 0x11, 0x01	# from: address
	.uleb128 0x12, 0x07	# size: data8
	.uleb128 0, 0
	.uleb128 2, 0x2e	# function, without children
	.byte 0
	.uleb128 0x03, 0x08	# name
	.uleb128 0x11, 0x01	# from
	.uleb128 0x12, 0x07	# size
	.uleb128 0, 0
	.uleb128 3, 0x2e	# function, with children
	.byte 1
	.uleb128 0x03, 0x08
	.uleb128 0x11, 0x01
	.uleb128 0x12, 0x07
	.uleb128 0, 0
	.uleb128 4, 0x1d	# inlined call, without children
	.byte 0
	.uleb128 0x31, 0x13	# of what: reference
	.uleb128 0x11, 0x01
	.uleb128 0x12, 0x07
	.uleb128 0x58, 0x0b	# call file: data1
	.uleb128 0x59, 0x0b	# call line: data1
	.uleb128 0, 0
	.uleb128 5, 0x2e	# function that was inlined everywhere
	.byte 0
	.uleb128 0x03, 0x08
	.uleb128 0x20, 0x0b	# inline: data1
	.uleb128 0, 0
	.uleb128 0

	.section .debug_info, "", @progbits
info:
	.long info_end - info_start
info_start:
	.short 4		# DWARF 4
	.long abbreviations
	.byte 8			# bytes of an address
	.uleb128 1
	.asciz "/src/app/main.c"
	.asciz "/src/app"
	.byte 0x0c		# C99
	.long lines
	.quad begin
	.quad end - begin
inlined:
	.uleb128 5
	.asciz "reserve"
	.byte 1
	.uleb128 2
	.asciz "main"
	.quad main
	.quad 0x30
	.uleb128 3
	.asciz "build_table"
	.quad build_table
	.quad 0x30
	.uleb128 4
	.long inlined - info
	.quad build_table + 0x10
	.quad 0x10
	.byte 2, 22
	.uleb128 0		# of build_table
	.uleb128 2
	.asciz "xmalloc"
	.quad xmalloc
	.quad 0x10
	.uleb128 2
	.asciz "parse_line"
	.quad parse_line
	.quad 0x20
	.uleb128 0		# of the unit
info_end:

	.section .note.GNU-stack, "", @progbits
