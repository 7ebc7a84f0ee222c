mtracer info $TRACES/plain/names.mtrace
