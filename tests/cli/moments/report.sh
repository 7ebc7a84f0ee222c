# A whole state, by its label; the last of several with one. What looks like a time is a label first.
for moment in 'warm up' step 12.5s; do mtracer report "$TRACES/snapshots.mtrace@$moment" | grep -v '^next\|^ *mtracer'; done
mtracer report --by site --csv "$TRACES/snapshots.mtrace@step"
mtracer report --json --by function "$TRACES/snapshots.mtrace@warm up" | grep -v '"path"\|program'
