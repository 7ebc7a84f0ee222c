mtracer report --json --by thread $TRACES/threads.mtrace
