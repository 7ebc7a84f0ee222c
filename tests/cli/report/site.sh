mtracer report --by site $TRACES/app.mtrace
