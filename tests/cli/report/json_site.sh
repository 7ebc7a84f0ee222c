mtracer report --json --by site --limit 3 $TRACES/app.mtrace
