mtracer report $TRACES/names.mtrace
mtracer report --json $TRACES/names.mtrace
