. "$(dirname "$0")/sources.inc"
mtracer annotate --json --path-map /src/app=src $TRACES/app.mtrace
