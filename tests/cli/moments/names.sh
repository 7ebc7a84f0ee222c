# A file whose name has an @ is that file; of several beginnings the longest that is there.
cp $TRACES/snapshots.mtrace a; cp $TRACES/app.mtrace a@step; cp $TRACES/snapshots.mtrace 'b@c.mtrace'
for name in a@step a@step@peak a@12.5s b@c.mtrace@step @step; do
    echo "$name: $(mtracer report "$name" 2>/dev/null | sed -n 2p)"
done
mkdir d; cp a d/t.mtrace; mtracer report d@step | sed -n 2p; cp $TRACES/app.mtrace d/u.mtrace
mtracer report d@peak | sed -n 2,3p
