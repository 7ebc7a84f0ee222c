mtracer report --cumulative $TRACES/app.mtrace
