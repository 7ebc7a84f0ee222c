# What grew and what shrank, told by words as well as by colours.
mtracer flamegraph --diff $TRACES/before.mtrace $TRACES/after.mtrace | sed '/<style>/,/<\/style>/d; /<script>/,/<\/script>/d'
mtracer flamegraph --inverted --measure allocations --diff $TRACES/after.mtrace $TRACES/before.mtrace | grep '^<title>\|^<desc>\|^<g '
mtracer flamegraph --folded --diff $TRACES/after.mtrace $TRACES/before.mtrace; echo "exit $?"
mtracer flamegraph --diff none.mtrace $TRACES/before.mtrace; echo "exit $?"
mtracer flamegraph --diff $TRACES/app.mtrace $TRACES/before.mtrace 2>&1 >/dev/null | head -1
