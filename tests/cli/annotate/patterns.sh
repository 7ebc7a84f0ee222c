# What words mean: functions, files, lines, expressions.
. "$(dirname "$0")/sources.inc"
ask()
{
    echo "== $*"
    mtracer annotate --json $TRACES/app.mtrace "$@" 2>errors >out
    echo "exit $?"
    sed -n 's/^      "function": "\([^"]*\)".*/\1/p' out
    cat errors
}
ask build_table
ask table.c
ask lib/table.c
ask /src/app/table.c
ask table.c:23
ask lib/table.c:12
ask table.c:1
ask main reserve
ask '^parse_|^main$'
ask 'n'
ask no_lines
ask libold.so
ask build_tabel
ask parse_lin nothing_like_it
ask tabel.c
ask zzzzzzzzzzzz
ask '('
ask ''
cd $TRACES && mtracer annotate app.mtrace main >/dev/null; echo "exit $?"
mtracer annotate missing.mtrace main; echo "exit $?"
