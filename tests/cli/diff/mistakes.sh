B=$TRACES/before.mtrace A=$TRACES/after.mtrace
for arguments in "$B" "$B $A $A" "--old $B" "--old $B --new" "--new $A" "$A --old $B --new $A" \
	"--fail-over 5x $B $A" "--fail-over -5% $B $A" "--fail-over-site % $B $A" "--fail-over 1.2.3% $B $A" \
	"--measure name $B $A" "--sort peek $B $A" "--by thread $B $A" "--json --markdown $B $A" "$B none.mtrace"; do
	mtracer diff $arguments >/dev/null; echo "exit $?"
done
