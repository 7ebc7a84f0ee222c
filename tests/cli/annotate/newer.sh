# Source files that were written after the program was built, or after the trace began: one line says so.
. "$(dirname "$0")/sources.inc"
touch -d "2100-01-01" src/table.c
mtracer annotate --path-map /src/app=src $TRACES/app.mtrace build_table | sed 1,5d
touch -d "1990-01-01" src/table.c
mtracer annotate --path-map /src/app=src $TRACES/app.mtrace build_table | grep newer
mtracer annotate --json --path-map /src/app=src $TRACES/app.mtrace build_table | grep -c '"source_is_newer": false'
touch -d "2100-01-01" src/*.[ch] src/lib/*
for command in "annotate --all" report "report --by site" "leaks" "report --json" "annotate --json" tree; do
	echo "$command:"; mtracer $command --path-map /src/app=src $TRACES/app.mtrace 2>&1 | grep -o "[^ ]*src/.* newer than.*"
done
# A trace that lies by itself, with its own symbols: no program says when it was built.
mtracer pack -q -o packed.zst $TRACES/app.mtrace 2>/dev/null
mtracer report --path-map /src/app=src packed.zst 2>&1 | grep -o "[^ ]*src/.* newer than.*"
touch -d "2001-01-01" src/*.[ch] src/lib/*
mtracer report --path-map /src/app=src packed.zst 2>&1 | grep newer
