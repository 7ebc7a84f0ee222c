mtracer report --by function $TRACES/app.mtrace
