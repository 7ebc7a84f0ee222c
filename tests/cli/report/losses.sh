mtracer report $TRACES/losses.mtrace
