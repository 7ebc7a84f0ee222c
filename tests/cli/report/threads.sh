mtracer report $TRACES/threads.mtrace
