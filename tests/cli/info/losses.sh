mtracer info $TRACES/plain/losses.mtrace
