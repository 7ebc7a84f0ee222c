mtracer timeline --json $TRACES/timeline.mtrace
