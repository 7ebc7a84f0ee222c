mtracer timeline --ascii $TRACES/timeline.mtrace >a
LC_ALL=C mtracer timeline $TRACES/timeline.mtrace >b
cmp a b && cat a
