# Old names count, too.
mtracer diff --match copy_text --sort peak_bytes $TRACES/before.mtrace $TRACES/after.mtrace | tail -n +8
mtracer diff --match 'view\.c' --exclude drop $TRACES/before.mtrace $TRACES/after.mtrace | tail -n +8
mtracer diff --match drop_cache $TRACES/before.mtrace $TRACES/after.mtrace | tail -n +8
mtracer diff --match '(' $TRACES/before.mtrace $TRACES/after.mtrace; echo "exit $?"
