mtracer report --markdown --by function --match a $TRACES/app.mtrace 2>/dev/null
mtracer report --markdown --by site --limit 1 $TRACES/app.mtrace 2>/dev/null
mtracer report --markdown --match nowhere $TRACES/app.mtrace 2>/dev/null
mtracer report --csv --limit 3 $TRACES/app.mtrace 2>/dev/null
mtracer report --csv --by site --limit 1 $TRACES/app.mtrace 2>/dev/null
mtracer report --csv --by thread $TRACES/threads.mtrace
mtracer report --csv --match nowhere $TRACES/app.mtrace 2>/dev/null
mtracer report --csv $TRACES/names.mtrace 2>/dev/null
mtracer report --markdown $TRACES/names.mtrace 2>/dev/null
mtracer report --json --csv $TRACES/app.mtrace
echo "exit $?"
mtracer report --csv --markdown $TRACES/app.mtrace
echo "exit $?"
