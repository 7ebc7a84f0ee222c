mtracer report $TRACES/app.mtrace
