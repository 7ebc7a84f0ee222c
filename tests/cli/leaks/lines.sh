# A row is a line, with its call stacks, in the order of what is lost with it; by site each stack is a row.
mtracer leaks $TRACES/held.mtrace | tail -n +5; echo "exit $?"
mtracer leaks --stacks 1 --frames 1 --limit 1 $TRACES/held.mtrace | tail -n +9
mtracer leaks --by site --frames 1 $TRACES/held.mtrace | tail -n +9
