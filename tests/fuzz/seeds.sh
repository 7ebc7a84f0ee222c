#!/bin/sh
# SPDX-License-Identifier: MIT
# seeds.sh - makes the first inputs of the fuzz targets from real traces and files of this tree.
#
# usage: tests/fuzz/seeds.sh BUILD DIRECTORY
#
# DIRECTORY/TARGET/ get the inputs; what is in tests/fuzz/corpus began as these. Traces of programs that are small, use
# threads, fork, are sampled, or are killed; the golden ones; packed ones; and what the other targets read.
set -eu

build=$(cd "$1" && pwd)
mkdir -p "$2"
out=$(cd "$2" && pwd)
source=$(cd "$(dirname "$0")/../.." && pwd)
work=/tmp/mtrace-seeds
mkdir "$work"
trap 'rm -rf "$work"' EXIT
cd "$work"
cp "$build/preload/libmtrace.so" "$build/tests/cli/app.so" "$build/tests/examples/shelf" "$build/tests/leaks/kinds" "$work"
for program in threads processes mappings endings; do
    cp "$build/tests/shim/$program" "$work"
done
for target in columns commands executable module names packed source suppressions trace; do
    mkdir -p "$out/$target"
done

# traced NAME [VARIABLE=VALUE]... PROGRAM [ARGUMENT]...: the trace of a run, and those of its children
traced() {
    name=$1
    shift
    env MTRACE_OUT="$work/$name.%p.mtrace" LD_PRELOAD="$work/libmtrace.so" "$@" >/dev/null 2>&1 || true
}

traced single "$work/shelf"
traced shallow MTRACE_DEPTH=3 "$work/shelf"
traced sampled MTRACE_SAMPLE=4KiB "$work/shelf"
"$build/analyzer/mtracer" merge --quiet --no-symbols --out sum.mtrace sampled.*.mtrace single.*.mtrace 2>/dev/null
traced threads "$work/threads"
traced forked "$work/processes" fork
traced mappings MTRACE_MMAP=1 "$work/mappings"
traced killed "$work/endings" kill
traced leaking "$work/kinds"
for description in "$source"/tests/golden/good/*.trace; do
    TEST_APP="$work/app.so" "$build/tests/unit/make_trace" "$description" "$(basename "$description" .trace).golden.mtrace"
done
"$build/analyzer/mtracer" pack --quiet --plain --out symbols.mtrace single.*.mtrace

# Names of this machine are nobody's business; texts keep their lengths.
for private in "$(uname -n)" "$(cat /proc/sys/kernel/random/boot_id)" "$source"; do
    LC_ALL=C sed -i "s|$private|$(printf %s "$private" | tr '[:alnum:]' x)|g" -- *.mtrace
done

number=0
for trace in *.mtrace; do
    name=$(basename "$trace" .mtrace | sed 's/\.[0-9]*$//')
    "$build/tests/fuzz/make_seed" "$trace" "$out/trace/$name"
    "$build/tests/fuzz/make_seed" "$trace" "$out/commands/$name" "$number"
    number=$((number + 1))
done
for trace in single.*.mtrace threads.*.mtrace app.golden.mtrace held.golden.mtrace snapshots.golden.mtrace timeline.golden.mtrace; do
    name=$(basename "$trace" .mtrace | sed 's/\.[0-9]*$//')
    "$build/analyzer/mtracer" pack --quiet --out "$out/packed/$name" "$trace"
    zstd -q -d -c "$out/packed/$name" >"$work/columns"
    "$build/tests/fuzz/make_seed" "$work/columns" "$out/columns/$name"
done

cp "$build/tests/cli/app.so" "$out/module/app"
objcopy --strip-debug "$build/tests/cli/app.so" "$out/module/stripped"
cp "$build/tests/cli/app.so" "$out/executable/library"
printf '#!/bin/sh -e\n' >"$out/executable/script"
printf '#! /usr/bin/env python3\n' >"$out/executable/env"
printf 'int f(void)\n{\n\treturn 1;\n}\n\nstatic int\ng(int a)\n{\n\tif (a) {\n\t\treturn 2;\n\t}\n}\n' >"$out/source/c"
printf 'impl A {\r\n    fn f(&self) -> u32 {\r\n        1\r\n    }\r\n}\r\n' >"$out/source/rust"
printf 'leak:fill\nleak:^main$\n# comment\nleak:lib*.so\n' >"$out/suppressions/sanitizer"
printf '{\n   a name\n   Memcheck:Leak\n   match-leak-kinds: definite,possible\n   fun:mal*\n   ...\n   obj:*/shelf\n   src:main.c:1\n}\n{\n   b\n   Memcheck:Addr4\n   fun:x\n}\n' \
    >"$out/suppressions/valgrind"
printf '_ZNSt6vectorIiSaIiEE7reserveEm' >"$out/names/cxx"
printf '_RNvXs_Cs1234_7mycrateNtB4_6StringNtNtC4core5clone5Clone5clone' >"$out/names/rust"
printf '_ZN4core3ptr13drop_in_place17h0123456789abcdefE.llvm.123' >"$out/names/rust_old"
printf '<alloc::vec::Vec<u8> as core::clone::Clone>::clone' >"$out/names/plain"
printf '_D3std5stdio4File5closeMFNeZv' >"$out/names/d"
printf 'f.part.0.cold@@V1' >"$out/names/clone"
