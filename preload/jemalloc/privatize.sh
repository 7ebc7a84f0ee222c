#!/bin/sh
# SPDX-License-Identifier: MIT
# privatize.sh - makes the distribution's jemalloc a private part of libmtrace.so.
#
# usage: privatize.sh PYTHON ARCHIVE STUBS OUTPUT
#
# ARCHIVE is libjemalloc_pic.a, STUBS the compiled stubs.c (as an archive), OUTPUT an archive with one relocatable
# object. In it, jemalloc's public functions are called mtje_*, what jemalloc must not do inside a
# traced program goes to the stubs, and no symbol but mtje_* is left to meet any other. Its thread data become ordinary
# ones (untls.py), and the root of its tree of pages, 2 MiB, is mapped when it is needed (untree.py). It isn't initialized
# when the library is loaded.
set -eu

python=$1
archive=$2
stubs=$3
output=$4

NM=${NM:-nm}
LD=${LD:-ld}
AR=${AR:-ar}
OBJCOPY=${OBJCOPY:-objcopy}

# What stubs.c answers in the place of libc, libm and libgcc.
stubbed='secure_getenv getenv readlink readlinkat mmap munmap madvise mprotect sbrk dlsym
    pthread_create pthread_atfork pthread_key_create pthread_setspecific atexit exp log round _Unwind_Backtrace _Unwind_GetIP'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

# The C++ object defines operator new and delete.
mkdir "$work/objects"
archive=$(realpath "$archive")
(cd "$work/objects" && $AR x "$archive" && rm -f jemalloc_cpp*.o)

# All that is global and not in jemalloc's own je_ name space is its public API.
$NM --defined-only --extern-only "$work"/objects/*.o |
    awk 'NF == 3 && $3 !~ /^je_/ { print $3, "mtje_" $3 }' | sort -u >"$work/renames"
for name in $stubbed; do
    echo "$name mtje_stub_$name"
done >>"$work/renames"

for object in "$work"/objects/*.o; do
    $OBJCOPY --redefine-syms="$work/renames" --remove-section=.init_array "$object"
done
$LD -r -o "$work/mtje.o" "$work"/objects/*.o --whole-archive "$stubs"

$python -B "${0%/*}/untls.py" "$work/mtje.o" mtje_stub_tls_offset mtje_stub_tls_data
$python -B "${0%/*}/untree.py" "$work/mtje.o" je_arena_emap_global mtje_stub_tree mtje_stub_tree_size
$OBJCOPY --rename-section .tdata=.data.mtje "$work/mtje.o"

$NM --defined-only --extern-only "$work/mtje.o" |
    awk '$3 ~ /^mtje_/ && $3 !~ /^mtje_stub_/ { print $3 }' >"$work/keep"
$OBJCOPY --keep-global-symbols="$work/keep" "$work/mtje.o"

rm -f "$output"
$AR crsD "$output" "$work/mtje.o"
