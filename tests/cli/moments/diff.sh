# What grew between two moments, and what was allocated between: of one process, so the code is the same.
mtracer diff "$TRACES/snapshots.mtrace@warm up" $TRACES/snapshots.mtrace@step; echo "exit $?"
mtracer diff --sort allocations "$TRACES/snapshots.mtrace@warm up" $TRACES/snapshots.mtrace@step | tail -n +6
mtracer diff --by site "$TRACES/snapshots.mtrace@warm up" $TRACES/snapshots.mtrace@peak | tail -n +5
mtracer diff $TRACES/snapshots.mtrace@step $TRACES/snapshots.mtrace@12.5s | tail -1
mtracer diff --fail-over 10KiB "$TRACES/snapshots.mtrace@warm up" $TRACES/snapshots.mtrace | sed -n 1,3p
mtracer diff --markdown "$TRACES/snapshots.mtrace@warm up" $TRACES/snapshots.mtrace@step
mtracer diff --csv --by function "$TRACES/snapshots.mtrace@warm up" $TRACES/snapshots.mtrace@step | cut -d, -f3,21-
# A packed trace has the same moments, and is of the same process.
mtracer pack -q -o p.zst $TRACES/snapshots.mtrace && mtracer diff p.zst@step $TRACES/snapshots.mtrace@step | tail -1
