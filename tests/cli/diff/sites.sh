mtracer diff --by site --limit 2 $TRACES/before.mtrace $TRACES/after.mtrace | tail -n +8
