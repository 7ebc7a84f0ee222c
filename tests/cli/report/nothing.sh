mtracer report $TRACES/nothing.mtrace
mtracer report --json $TRACES/nothing.mtrace
