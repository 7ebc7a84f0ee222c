mtracer report --cumulative --by function $TRACES/app.mtrace
