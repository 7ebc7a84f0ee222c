mtracer report --json --by site $TRACES/app.mtrace >one 2>/dev/null
mtracer report --json --by site $TRACES/app.mtrace >two 2>/dev/null
cmp one two
