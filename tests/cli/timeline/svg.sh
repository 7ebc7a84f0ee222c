mtracer timeline --svg a.svg $TRACES/timeline.mtrace && mtracer timeline --svg - $TRACES/timeline.mtrace | cmp - a.svg
cat a.svg
