mtracer merge -q -o sum.zst $TRACES/threads.mtrace $TRACES/app.mtrace
mtracer report --by thread sum.zst | grep -v '^next\|^ *mtracer'
