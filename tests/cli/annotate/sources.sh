# The listing of the built program's sources, found by --path-map; a tab is eight columns.
. "$(dirname "$0")/sources.inc"
mtracer annotate --all --path-map /src/app=src $TRACES/app.mtrace
