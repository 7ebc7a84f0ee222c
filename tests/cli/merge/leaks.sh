# Verdicts add up when all have one.
mtracer merge -q -o both.mtrace $TRACES/leaks.mtrace $TRACES/leaks.mtrace
mtracer leaks --limit 1 both.mtrace; echo "exit $?"
mtracer merge -q -o one.mtrace $TRACES/leaks.mtrace $TRACES/app.mtrace
mtracer leaks --limit 1 one.mtrace | tail -n +4; echo "exit $?"
