# The keys and values of CSV are those of JSON.
for by in line function file module thread; do
    mtracer report --by $by --json $TRACES/threads.mtrace > report.json
    mtracer report --by $by --csv $TRACES/threads.mtrace > report.csv
    python3 - <<'EOF'
import csv, json


def text(value):
    if isinstance(value, float):
        return f"{value:.2f}"
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


rows = json.load(open("report.json"))["rows"]
lines = list(csv.DictReader(open("report.csv")))
assert len(rows) == len(lines) and rows
for row, line in zip(rows, lines):
    assert all(line[key] == text(value) for key, value in row.items()), (row, line)
    assert all(line[key] == "" for key in line.keys() - row.keys()), line
print(len(rows) > 0, sorted(lines[0].keys() - rows[0].keys()))
EOF
done
