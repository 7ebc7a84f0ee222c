mtracer tree --markdown $TRACES/branches.mtrace 2>/dev/null
mtracer tree --markdown --callers --depth 2 --min-percent 20 $TRACES/app.mtrace 2>/dev/null
mtracer tree --csv --depth 2 $TRACES/app.mtrace 2>/dev/null
mtracer tree --csv --json $TRACES/app.mtrace
echo "exit $?"
mtracer tree --csv --peek load $TRACES/app.mtrace
echo "exit $?"
