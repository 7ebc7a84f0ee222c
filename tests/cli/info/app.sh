mtracer info $TRACES/plain/app.mtrace
