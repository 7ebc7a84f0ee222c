export LC_ALL=C.UTF-8
mtracer timeline $TRACES/timeline.mtrace
echo; mtracer timeline --limit 1 $TRACES/timeline.mtrace | tail -3
