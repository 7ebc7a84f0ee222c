# Medians, and a change within the spread is none.
B=$TRACES/before.mtrace A=$TRACES/after.mtrace
mtracer diff --old $B $B $B --new $A $A $B --limit 3; echo "exit $?"
mtracer diff --old $B $A --new $A $B --fail-over 0 | head -8; echo "exit $?"
mtracer diff --limit 1 --old $B --old $B --new $A | tail -n +5
