mtracer leaks --markdown --all --frames 2 $TRACES/leaks.mtrace 2>/dev/null
echo "exit $?"
mtracer leaks --markdown --limit 1 $TRACES/held.mtrace 2>/dev/null
mtracer leaks --csv --all --limit 3 $TRACES/held.mtrace 2>/dev/null
echo "exit $?"
mtracer leaks --csv $TRACES/nothing.mtrace 2>/dev/null
mtracer leaks --json --markdown $TRACES/leaks.mtrace
echo "exit $?"
