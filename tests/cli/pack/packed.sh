# Every command reads it, and says the same.
cp $TRACES/leaks.mtrace t.mtrace
mtracer pack t.mtrace | sed 's/: .*, from/: SIZE, from/'; echo "exit $?"; ls
for command in report "report --by site" "leaks --all" "tree"; do
	mtracer $command t.mtrace 2>/dev/null | sed 's/t.mtrace//' >plain
	mtracer $command t.mtrace.zst 2>/dev/null | sed 's/t.mtrace.zst//' >packed
	cmp plain packed && echo "$command: the same"
done
mtracer diff t.mtrace t.mtrace.zst | tail -1
mtracer info t.mtrace.zst | grep -c '^symbols  *[1-9]'
test $(wc -c <t.mtrace.zst) -lt 4096 && echo small
