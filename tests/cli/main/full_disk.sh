mtracer report --json $TRACES/app.mtrace >/dev/full 2>err; echo "exit $?"
grep "^mtracer: standard" err
mtracer help >/dev/full; echo "exit $?"
mtracer report $TRACES/nothing.mtrace >&-; echo "exit $?"
