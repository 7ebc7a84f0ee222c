mtracer flamegraph --measure peak $TRACES/app.mtrace; echo "exit $?"
mtracer flamegraph --measure allocatoins $TRACES/app.mtrace; echo "exit $?"
mtracer flamegraph --svg --folded $TRACES/app.mtrace; echo "exit $?"
mtracer flamegraph --folded --inverted $TRACES/app.mtrace; echo "exit $?"
mtracer flamegraph --match '(' $TRACES/app.mtrace; echo "exit $?"
mtracer flamegraph none.mtrace; echo "exit $?"
mtracer flamegraph -o /dev/full $TRACES/app.mtrace; echo "exit $?"
cp $TRACES/app.mtrace t; mtracer flamegraph -o t t; echo "exit $?"; cmp t $TRACES/app.mtrace
mtracer flamegraph -o f.svg $TRACES/threads.mtrace; mtracer flamegraph -o f.svg.gz $TRACES/threads.mtrace; gzip -dc f.svg.gz | cmp - f.svg; echo "exit $?"
# The state at a moment, of which not everything is known.
mtracer flamegraph --folded $TRACES/timeline.mtrace@peak; mtracer flamegraph --folded --measure allocations $TRACES/timeline.mtrace@peak; echo "exit $?"
