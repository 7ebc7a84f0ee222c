mtracer timeline --csv $TRACES/timeline.mtrace
