# Peaks since a reset (flag 1024) are no peaks of a whole run: no verdict on them, whichever side is larger; on all else there is one.
reset() { { cat $TEST_GOLDEN/good/$1.trace; echo 'header flags 0x500'; } >$1.trace; env -u TEST_APP $TEST_MAKE_TRACE $1.trace $1.reset.mtrace; }
run() { mtracer diff "$@" >out; echo "$*: exit $?" | sed "s|$TRACES/plain/||g"; grep -E '^(- )?(note|no verdict|FAILED|passed)' out | sed -e 's/\\//g' -e "s|$TRACES/plain/||g"; }
reset before; reset after
run --fail-over 5% before.reset.mtrace $TRACES/plain/after.mtrace
run --fail-over-site 90% $TRACES/plain/after.mtrace before.reset.mtrace
run --fail-over 5% --markdown before.reset.mtrace $TRACES/plain/after.mtrace
run --fail-over 5% before.reset.mtrace after.reset.mtrace
run --measure current_bytes --fail-over 90% before.reset.mtrace $TRACES/plain/after.mtrace
run before.reset.mtrace $TRACES/plain/after.mtrace
mtracer diff --json --fail-over 5% before.reset.mtrace $TRACES/plain/after.mtrace | grep -E '"exceeded"|comparable'
