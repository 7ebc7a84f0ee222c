mtracer export $TRACES/app.mtrace; echo "exit $?"
mtracer export -f xml $TRACES/app.mtrace; echo "exit $?"
mtracer export -f ppro $TRACES/app.mtrace; echo "exit $?"
mtracer export -f folded -m zzzzzzzz $TRACES/app.mtrace; echo "exit $?"
mtracer export -f folded -m name $TRACES/app.mtrace; echo "exit $?"
mtracer export -f callgrind -m peak $TRACES/app.mtrace; echo "exit $?"
mtracer export -f folded none.mtrace; echo "exit $?"
# What can't be written.
mtracer export -f folded -o none/file $TRACES/app.mtrace; echo "exit $?"
mtracer export -f folded -o /dev/full $TRACES/threads.mtrace; echo "exit $?"
mtracer export -f pprof -o /dev/full $TRACES/threads.mtrace; echo "exit $?"
mtracer export -f pprof $TRACES/threads.mtrace >/dev/full; echo "exit $?"
# Traces are kept, other files replaced.
cp $TRACES/app.mtrace t; mtracer export -f folded -o t t; echo "exit $?"; cmp t $TRACES/app.mtrace
mtracer pack -q t; mtracer export -f folded -o t.zst t; echo "exit $?"
echo old >f; mtracer export -f folded -o f $TRACES/threads.mtrace; echo "exit $?"; cat f
mtracer export -f folded -o f.gz $TRACES/threads.mtrace; gzip -dc f.gz | cmp - f; mtracer export -f pprof $TRACES/threads.mtrace | gzip -t; echo "exit $?"
mtracer export -f csv $TRACES/nothing.mtrace
