B=$TRACES/before.mtrace A=$TRACES/after.mtrace
for arguments in "$B" "$B $A $A" "--old $B" "--old $B --new" "--new $A" "$A --old $B --new $A" \
	"--fail-over 5x $B $A" "--fail-over -5% $B $A" "--fail-over-site % $B $A" "--fail-over 1.2.3% $B $A" \
	"--measure name $B $A" "--sort peek $B $A" "--by thread $B $A" "--json --markdown $B $A" "$B none.mtrace"; do
	mtracer diff $arguments >/dev/null; echo "exit $?"
done
# 5 of what? 0 is as much of either, and allocations have no unit.
for arguments in "--fail-over 5" "--fail-over-site 5" "--fail-over 0.5" "--fail-over 0" "--measure allocations --fail-over 5"; do
	mtracer diff $arguments $A $A >/dev/null; echo "exit $?"
done
