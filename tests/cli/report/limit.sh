mtracer report --limit 2 $TRACES/app.mtrace
mtracer report --limit 8 $TRACES/app.mtrace | tail -7
