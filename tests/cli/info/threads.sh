mtracer info $TRACES/plain/threads.mtrace
