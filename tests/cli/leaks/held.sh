# Who leaves out a lost block leaves out what it holds; small is who holds little.
summary() {
	python3 -c 'import json, sys
trace = json.load(sys.stdin)
print(*("%s %s" % (key, value) for key, value in trace["leaks"].items() if value and key.endswith("bytes") and key != "scan_bytes"), sep=", ")
for row in trace["rows"]:
    print(row["function"], row["kind"], row["current_bytes"], row.get("held_bytes"), row.get("held_blocks"), row["stack_count"],
          [(stack["current_bytes"], stack.get("held_bytes"), len(stack["stack"])) for stack in row["stacks"]],
          [(part["function"], part["bytes"], part["blocks"]) for part in row.get("holds", [])])'
}
mtracer leaks --all --json $TRACES/held.mtrace | summary
echo "-- by site"; mtracer leaks --all --by site --json $TRACES/held.mtrace | summary
printf '{\n one\n Memcheck:Leak\n src:table.c:20\n src:main.c:40\n}\n' >one.supp
echo "-- one call stack suppressed"; mtracer leaks --all --suppressions one.supp --json $TRACES/held.mtrace | summary
echo 'leak:build_table' >line.supp
echo "-- the line suppressed"; mtracer leaks --all --suppressions line.supp --json $TRACES/held.mtrace | summary
echo 'leak:reserve' >nodes.supp
echo "-- what is held suppressed"; mtracer leaks --all --suppressions nodes.supp --json $TRACES/held.mtrace | summary
echo "-- at least 10 KiB"; mtracer leaks --all --min-bytes 10KiB --json $TRACES/held.mtrace | summary
mtracer leaks --min-bytes 10KiB $TRACES/held.mtrace >/dev/null; echo "exit $?"
mtracer leaks --min-bytes 100KiB $TRACES/held.mtrace | tail -n +5; mtracer leaks --min-bytes 100KiB $TRACES/held.mtrace >/dev/null; echo "exit $?"
mtracer leaks --gen-suppressions $TRACES/held.mtrace >all.supp; mtracer leaks --all --suppressions all.supp --json $TRACES/held.mtrace | summary
