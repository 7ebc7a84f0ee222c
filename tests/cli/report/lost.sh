# What the scan found is in the totals; where it found nothing out, nothing is.
for name in held app; do
	mtracer report --json $TRACES/$name.mtrace |
		python3 -c 'import json, sys; totals = json.load(sys.stdin)["totals"]; print(totals.get("lost_bytes"), totals.get("held"))'
done
