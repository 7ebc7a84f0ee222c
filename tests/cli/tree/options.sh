for options in "--min-percent 0" "--min-percent 10%" "--depth 1" "--depth 2 --min-percent 0" "--lines" "--sort allocations" "--sort temporary" "--match reserve" "--exclude build_table --min-percent 0" "--match nothing_like_this" "--no-wrappers --depth 3" "--width 50" "--min-percent 100"; do
    echo "== $options"
    mtracer tree $options $TRACES/app.mtrace | sed 1,5d
done
for options in "--min-percent x" "--min-percent -1" "--min-percent 101" "--min-percent nan" "--min-percent 5x" "--sort pek" "--sort peak_bytes" "--match (" "--depth x" "--peek nothing_like_it" "--peek build_tabel" "--peek ("; do
    mtracer tree $options $TRACES/app.mtrace
    echo "exit $?"
done
for trace in nothing names threads losses; do
    echo "== $trace"
    mtracer tree $TRACES/$trace.mtrace | sed 1,5d
done
mtracer tree $TRACES/newer.mtrace; echo "exit $?"
