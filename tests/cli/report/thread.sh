mtracer report --by thread $TRACES/threads.mtrace
