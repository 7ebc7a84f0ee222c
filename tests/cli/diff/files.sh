mtracer diff --by file $TRACES/before.mtrace $TRACES/after.mtrace | tail -n +8
mtracer diff --by file --sort peak_bytes $TRACES/after.mtrace $TRACES/before.mtrace | tail -n +8
mtracer diff --by module $TRACES/before.mtrace $TRACES/after.mtrace | tail -n +8
