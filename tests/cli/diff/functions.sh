mtracer diff --by function $TRACES/before.mtrace $TRACES/after.mtrace | tail -n +8
mtracer diff --by function --sort allocations $TRACES/before.mtrace $TRACES/after.mtrace | tail -n +8
