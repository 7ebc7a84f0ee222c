# Every command that reads a trace reads a directory.
mkdir traces; cp $TRACES/app.mtrace $TRACES/leaks.mtrace traces
mtracer tree traces | sed -n 1,8p
mtracer annotate traces parse_line --context 0 | sed -n 1,8p
mtracer leaks traces --limit 1; echo "exit $?"
mtracer leaks traces --strict >/dev/null; echo "exit $?"
mtracer diff traces traces; echo "exit $?"
mtracer pack -q traces/; mtracer info traces.zst | sed -n '1p;/^process/,/^$/p'
mtracer report --by thread traces | grep -v '^next\|^ *mtracer'
