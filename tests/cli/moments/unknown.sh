# The peak knows what was held, a point of the timeline what the larger call sites held: the rest is blank, or null.
for moment in peak 0.6s end; do mtracer report "$TRACES/snapshots.mtrace@$moment" | grep -v '^next\|^ *mtracer'; done
mtracer report --csv $TRACES/snapshots.mtrace@peak
mtracer report --json $TRACES/snapshots.mtrace@600ms | grep -v '"path"\|program' | sed -n '/totals/,$p'
mtracer report --sort allocs $TRACES/snapshots.mtrace@peak; echo "exit $?"
mtracer export -f csv -m at_peak_bytes $TRACES/snapshots.mtrace@0.6s; echo "exit $?"
mtracer export -f folded $TRACES/snapshots.mtrace@0.6s
mtracer diff $TRACES/snapshots.mtrace@0.6s $TRACES/snapshots.mtrace@peak
mtracer diff --json $TRACES/snapshots.mtrace@0.6s $TRACES/snapshots.mtrace@peak | grep null | head -4
mtracer export -f massif $TRACES/snapshots.mtrace@0.6s; echo "exit $?"
mtracer export -f json $TRACES/snapshots.mtrace@peak | grep '"frames": .*null'
