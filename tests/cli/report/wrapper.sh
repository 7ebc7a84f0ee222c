mtracer report --wrapper "^reserve$" --wrapper "^parse" $TRACES/app.mtrace
mtracer report --no-wrappers -n 3 $TRACES/app.mtrace
