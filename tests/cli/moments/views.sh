mtracer tree $TRACES/snapshots.mtrace@step
mtracer tree $TRACES/snapshots.mtrace@peak
mtracer annotate table $TRACES/snapshots.mtrace@step | tail -n +5
mtracer tree --peek table $TRACES/snapshots.mtrace@step | tail -n +5
mtracer export -f folded $TRACES/snapshots.mtrace@step
mtracer timeline $TRACES/snapshots.mtrace@step | grep '^@\|most'
mtracer info $TRACES/snapshots.mtrace | sed -n '/^- /p; /^snapshot /,/^$/p'
mtracer info --json $TRACES/snapshots.mtrace | sed -n '/"snapshots"/,/lost_snap/p'
