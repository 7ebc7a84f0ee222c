# A directory is the sum of its traces; what is something else is passed over.
mkdir traces; cp $TRACES/app.mtrace $TRACES/leaks.mtrace $TRACES/demo.mtrace traces
echo text >traces/README; mkdir traces/more; cp $TRACES/threads.mtrace traces/more
mtracer report traces | grep -v '^next\|^ *mtracer'
mtracer merge -q -o sum.mtrace traces
mtracer report --json traces >directory.json; mtracer report --json sum.mtrace >sum.json
sed -i "/\"path\"/d" *.json; diff directory.json sum.json
