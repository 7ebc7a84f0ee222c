t=$TRACES/snapshots.mtrace; cp $t t; mkdir d; cp t d/a.mtrace; cp $TRACES/app.mtrace d/b.mtrace
for operand in t@stop t@war t@x t@ t@@step t@-1s none@step none.mtrace@step @step d@step; do
    mtracer report "$operand"; echo "exit $?"
done
mtracer report $TRACES/app.mtrace@1s 2>&1 | sed 's/.*app/app/'
for command in 'report --by thread' 'report --slack' leaks pack; do mtracer $command t@step; echo "exit $?"; done
mtracer merge -o sum.mtrace t@step; echo "exit $?"
mtracer merge -o sum.mtrace t $TRACES/app.mtrace | cut -d, -f1; mtracer report sum.mtrace@step; echo "exit $?"
mtracer merge -q -o one.mtrace t && mtracer diff one.mtrace@step t@step | tail -1
mtracer snapshot t ''; mtracer snapshot t peak; mtracer snapshot t end; mtracer snapshot t; mtracer snapshot t now
mtracer snapshot t "$(printf %0128d 0)"; mtracer tree --peek t.mtrace@step; mtracer annotate t@none table
