mtracer report --json $TRACES/app.mtrace
