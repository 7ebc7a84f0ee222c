mtracer info --json $TRACES/plain/threads.mtrace
