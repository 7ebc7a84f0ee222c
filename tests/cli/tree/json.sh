mtracer tree --json $TRACES/app.mtrace
mtracer tree --json --peek parse_line $TRACES/app.mtrace
for options in "" "--callers" "--lines" "--peek main"; do
    for trace in app names losses threads nothing; do
        [ $trace = app ] || [ "$options" != "--peek main" ] || continue
        mtracer tree --json $options $TRACES/$trace.mtrace 2>/dev/null >out.json
        python3 -c '
import json
tree = json.load(open("out.json"))
calls = {c["id"]: c for c in tree.get("calls", [])}
below = dict.fromkeys(calls, 0)
for c in calls.values():
    if c["parent"]:
        below[c["parent"]] += c["at_peak_bytes"]
for i, c in calls.items():
    whole = below[i] + c["own"]["at_peak_bytes"]
    assert c["at_peak_bytes"] == whole or not below[i], (c, whole)
tops = sum(c["at_peak_bytes"] for c in calls.values() if not c["parent"])
assert not calls or tops <= tree["totals"]["peak_bytes"], tops
for f in tree.get("functions", []):
    for key in "at_peak_bytes", "allocations", "current_bytes":
        assert sum(n[key] for n in f["callers"]) == f[key]
        assert sum(n[key] for n in f["callees"]) + f["own"][key] == f[key]
' || echo "$trace $options"
    done
done
