#!/bin/sh
# SPDX-License-Identifier: MIT
# variants.sh - compiles the fixtures in all the ways that debug information comes.
#
# usage: variants.sh OUTDIR PLACES.C SHAPES.CC
#
# Writes the programs into OUTDIR and these lists: `lines` (places with all debug information), `names` (places with symbols
# only), `shapes`. What the machine's tools can't make is left out.
set -eu
out=$1 places=$2 shapes=$3

rm -rf "$out"
mkdir -p "$out"
: >"$out/lines"
: >"$out/names"
: >"$out/shapes"

# add LIST NAME COMMAND... : the command makes OUTDIR/NAME
add()
{
    list=$1 name=$2
    shift 2
    if "$@" 2>"$out/$name.log" && [ -x "$out/$name" ]; then
        echo "$out/$name" >>"$out/$list"
    fi
}

# In two steps, so that a .dwo file is named like its program.
compile_places()
{
    name=$1
    shift
    "$@" -D_GNU_SOURCE -c "$places" -o "$out/$name.o"
    "$@" "$out/$name.o" -o "$out/$name"
}

compile_shapes()
{
    name=$1
    shift
    "$@" -std=c++17 -c "$shapes" -o "$out/$name.o"
    "$@" "$out/$name.o" -o "$out/$name"
}

for c in gcc clang; do
    command -v $c >/dev/null || continue
    add lines "places-$c-5" compile_places "places-$c-5" $c -O2 -g -gdwarf-5
    add lines "places-$c-4" compile_places "places-$c-4" $c -O2 -g -gdwarf-4
    add lines "places-$c-O0" compile_places "places-$c-O0" $c -O0 -g
    add lines "places-$c-split" compile_places "places-$c-split" $c -O2 -g -gsplit-dwarf
    add lines "places-$c-split4" compile_places "places-$c-split4" $c -O2 -g -gdwarf-4 -gsplit-dwarf
    add lines "places-$c-gz" compile_places "places-$c-gz" $c -O2 -g -gz
    add lines "places-$c-nopie" compile_places "places-$c-nopie" $c -O2 -g -no-pie
    add lines "places-$c-lto" compile_places "places-$c-lto" $c -O2 -g -flto
    add lines "places-$c-noid" compile_places "places-$c-noid" $c -O2 -g -Wl,--build-id=none
    add lines "places-$c-g1" compile_places "places-$c-g1" $c -O2 -g1 -fno-omit-frame-pointer
    add lines "places-$c-sections" compile_places "places-$c-sections" $c -O2 -g \
        -ffunction-sections -Wl,--gc-sections
done
# gcc -g1 knows inlined functions, but not where they were called.
sed -i '/places-gcc-g1$/d' "$out/lines"

for c in g++ clang++; do
    command -v $c >/dev/null || continue
    add shapes "shapes-$c-5" compile_shapes "shapes-$c-5" $c -O2 -g -gdwarf-5
    add shapes "shapes-$c-4" compile_shapes "shapes-$c-4" $c -O2 -g -gdwarf-4
    add shapes "shapes-$c-O0" compile_shapes "shapes-$c-O0" $c -O0 -g
    add shapes "shapes-$c-split" compile_shapes "shapes-$c-split" $c -O2 -g -gsplit-dwarf
done

# ---- made of the first of them

base=$(head -n 1 "$out/lines")

# link: .gnu_debuglink to a file in .debug beside it
mkdir -p "$out/.debug"
objcopy --only-keep-debug "$base" "$out/.debug/places-link.debug"
strip -s "$base" -o "$out/places-link"
(cd "$out/.debug" && objcopy --add-gnu-debuglink=places-link.debug ../places-link)
echo "$out/places-link" >>"$out/lines"

# id: the debug file is found by the build-id below OUTDIR/debug, which the test names
id=$(readelf -n "$base" | sed -n 's/.*Build ID: //p')
first=$(echo "$id" | cut -c1-2) rest=$(echo "$id" | cut -c3-)
mkdir -p "$out/debug/.build-id/$first"
cp "$out/.debug/places-link.debug" "$out/debug/.build-id/$first/$rest.debug"
strip -s "$base" -o "$out/places-id"

# dwz: what two files share is moved to a third
if command -v dwz >/dev/null; then
    four=$out/places-gcc-4
    [ -x "$four" ] || four=$base
    cp "$four" "$out/places-dwz"
    cp "$four" "$out/places-dwz-other"
    if (cd "$out" && dwz -m places.dwz -r places-dwz places-dwz-other) 2>"$out/places-dwz.log"; then
        echo "$out/places-dwz" >>"$out/lines"
    fi
fi

# names alone: .symtab; .gnu_debugdata, a compressed .symtab; .dynsym, which has exported functions only
strip -g "$base" -o "$out/places-symtab"
echo "$out/places-symtab" >>"$out/names"
if command -v xz >/dev/null; then
    objcopy -S --remove-section .comment "$base" "$out/places-mini"
    objcopy --only-keep-debug "$base" "$out/mini.debug"
    strip -g "$out/mini.debug"
    xz -f "$out/mini.debug"
    objcopy --add-section .gnu_debugdata="$out/mini.debug.xz" "$out/places-mini"
    echo "$out/places-mini" >>"$out/names"
fi
compile_places places-dynsym "$(command -v gcc || command -v clang)" -O2 -rdynamic
strip -s "$out/places-dynsym"

# ---- programs that can't be traced

tiny()
{
    name=$1 code=$2
    shift 2
    echo "$code" | "$@" -x c - -o "$out/$name" 2>"$out/$name.log" || rm -f "$out/$name"
}

c=$(command -v gcc || command -v clang)
tiny plain 'int main(void) { return 0; }' "$c"
tiny static 'int main(void) { return 0; }' "$c" -static
tiny static-pie 'int main(void) { return 0; }' "$c" -static-pie
tiny own-malloc 'char a[9]; void *malloc(unsigned long n) { return n ? a : 0; } int main(void) { return 0; }' \
    "$c" -fno-builtin
tiny own-jemalloc 'char a[9]; void *_rjem_malloc(long n) { return n ? a : 0; } int main(void) { return 0; }' "$c"
tiny hidden-malloc 'static void *malloc(long n) { return n ? "" : 0; } int main(void) { return !malloc(1); }' \
    "$c" -fno-builtin
tiny asan 'int main(void) { return 0; }' "$c" -fsanitize=address
