mtracer merge -o sum.mtrace $TRACES/leaks.mtrace $TRACES/leaks.mtrace
mtracer report sum.mtrace
mtracer leaks sum.mtrace | tail -n +5 | head -2
