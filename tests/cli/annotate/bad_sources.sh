# Sources that aren't fit to be shown: the figures are there all the same.
. "$(dirname "$0")/sources.inc"
show()
{
    echo "== $1"
    [ ! -f src/table.c ] || [ -h src/table.c ] || touch -d 2001-01-01 src/table.c
    mtracer annotate --path-map /src/app=src $TRACES/app.mtrace build_table | sed 1,5d
}
show "as it is"
printf 'a\0b\n' >src/table.c; show binary
rm src/table.c; show missing
mkdir src/table.c; show "a directory"
rmdir src/table.c; mkfifo src/table.c; show "a pipe"
rm src/table.c; ln -s /dev/zero src/table.c; show endless
rm src/table.c; ln -s /proc/self/mem src/table.c; show "no regular file"
rm src/table.c; printf 'one\ntwo\n' >src/table.c; show short
: >src/table.c; show empty
{ awk 'BEGIN { while (++n < 19) print "x" }'; printf '/* Gr\374\337e\001 */\r\n\tbuild_table(\302\265)\r\n\303\244\n'; awk 'BEGIN { while (++n < 20000) printf "long " }'; } >src/table.c; show odd | cut -c1-120
