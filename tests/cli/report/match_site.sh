mtracer report --by site --match "^reserve$" $TRACES/app.mtrace
