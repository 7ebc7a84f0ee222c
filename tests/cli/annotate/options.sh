. "$(dirname "$0")/sources.inc"
for options in "--limit 1" "--limit 0 --sort allocations" "--sort current --limit 2" "--context 0" "--width 60" "--width 1" "--width 100000"; do
    echo "== $options"
    mtracer annotate --path-map /src/app=src $options $TRACES/app.mtrace | sed 1,5d
done
for options in "--sort pek" "--sort own_peak" "--sort name" "--limit x" "--context -1" "--width x"; do
    mtracer annotate $options $TRACES/app.mtrace
    echo "exit $?"
done
mtracer annotate $TRACES/nothing.mtrace
mtracer annotate $TRACES/names.mtrace
mtracer annotate $TRACES/newer.mtrace; echo "exit $?"
