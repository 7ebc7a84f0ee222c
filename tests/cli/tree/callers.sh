mtracer tree --callers --min-percent 0 $TRACES/app.mtrace
