# A source file that was written after the program was built.
. "$(dirname "$0")/sources.inc"
touch -d "2100-01-01" src/table.c
mtracer annotate --path-map /src/app=src $TRACES/app.mtrace build_table | sed 1,5d
touch -d "1990-01-01" src/table.c
mtracer annotate --path-map /src/app=src $TRACES/app.mtrace build_table | grep newer
mtracer annotate --json --path-map /src/app=src $TRACES/app.mtrace build_table | grep -c '"source_is_newer": false'
