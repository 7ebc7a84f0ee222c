mtracer report --by file $TRACES/app.mtrace
