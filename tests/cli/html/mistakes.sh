mtracer html none.mtrace; echo "exit $?"
mtracer html --diff none.mtrace $TRACES/app.mtrace; echo "exit $?"
mtracer html -o none/file $TRACES/threads.mtrace; echo "exit $?"
mtracer html -o /dev/full $TRACES/threads.mtrace 2>/dev/null; echo "exit $?"
mtracer html --dif; echo "exit $?"
cp $TRACES/threads.mtrace t; mtracer html -o t t; echo "exit $?"; cmp t $TRACES/threads.mtrace
