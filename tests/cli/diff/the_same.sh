for by in line function file module site; do
	mtracer diff --by $by $TRACES/leaks.mtrace $TRACES/leaks.mtrace | tail -1
done
mtracer diff --fail-over 0 --fail-over-site 0% $TRACES/leaks.mtrace $TRACES/leaks.mtrace >/dev/null; echo "exit $?"
mtracer diff $TRACES/threads.mtrace $TRACES/threads.mtrace | tail -1
