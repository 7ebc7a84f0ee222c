for by in line function file module site; do
	mtracer diff --json --by $by $TRACES/names.mtrace $TRACES/app.mtrace 2>/dev/null | python3 -c '
import json, sys
diff = json.load(sys.stdin)
for row in diff["rows"]:
    for key in ("current_bytes", "allocations", "at_peak_bytes"):
        assert row["delta_" + key] == row["new_" + key] - row["old_" + key]
total = diff["totals"]
assert sum(row["delta_allocated_bytes"] for row in diff["rows"]) == total["delta_allocated_bytes"]
assert sum(row["delta_at_peak_bytes"] for row in diff["rows"]) == total["delta_peak_bytes"]
print(diff["by"], len(diff["rows"]) == diff["row_count"])'
done
