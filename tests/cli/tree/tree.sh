mtracer tree $TRACES/app.mtrace
