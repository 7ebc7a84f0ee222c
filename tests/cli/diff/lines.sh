# What only moved isn't there; what changed is, most first.
mtracer diff $TRACES/before.mtrace $TRACES/after.mtrace; echo "exit $?"
