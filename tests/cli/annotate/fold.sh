# Long quiet stretches are folded, a single line isn't; and CRLF, tabs, long lines.
. "$(dirname "$0")/sources.inc"
{
    awk 'BEGIN { while (++n < 20) print "// before" }'
    printf 'struct table *build_table(void)\r\n{\r\n'
    printf '\tint a;\tint b;\r\n\t/* 23 '
    awk 'BEGIN { while (++n < 100) printf "and on " ; print "*/" }'
    awk 'BEGIN { n = 23; while (++n < 60) print "        quiet(" n ");" }'
    printf '#ifdef NEVER\n}\n#endif\nint next;\n'
} >src/table.c
touch -d 2001-01-01 src/table.c
for options in "" "--context 0" "--context 1000000" "--all" "--context 10"; do
    echo "== $options"
    mtracer annotate --path-map /src/app=src $options $TRACES/app.mtrace build_table --width 100 | sed 1,5d
done
mtracer annotate --path-map /src/app=src $TRACES/app.mtrace build_table | awk '{ if (length($0) > most) most = length($0) } END { print most }'
