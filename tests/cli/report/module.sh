mtracer report --by module $TRACES/app.mtrace
