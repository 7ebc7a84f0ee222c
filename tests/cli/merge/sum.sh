mtracer merge -o sum.mtrace $TRACES/leaks.mtrace $TRACES/leaks.mtrace
mtracer report sum.mtrace
mtracer leaks sum.mtrace | tail -n +6 | head -2
mtracer merge -o one.mtrace $TRACES/leaks.mtrace 2>/dev/null | sed "s/,.*//"
