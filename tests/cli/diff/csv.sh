mtracer diff --csv --limit 2 --fail-over 5% $TRACES/before.mtrace $TRACES/after.mtrace
echo "exit $?"
mtracer diff --csv --by site $TRACES/before.mtrace $TRACES/before.mtrace
mtracer diff --markdown --by site --limit 1 $TRACES/before.mtrace $TRACES/after.mtrace
mtracer diff --csv --markdown $TRACES/before.mtrace $TRACES/after.mtrace
echo "exit $?"
