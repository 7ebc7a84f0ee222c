mkdir empty; mtracer report empty; echo "exit $?"
mtracer info empty/; echo "exit $?"
mkdir bad; head -c 9000 $TRACES/app.mtrace >bad/cut.mtrace; mtracer report bad; echo "exit $?"
cp $TRACES/app.mtrace $TRACES/demo.mtrace bad; : >bad/none.mtrace; mkfifo bad/fifo.mtrace
mtracer report --limit 1 bad >out; echo "exit $?"; head -1 out
mtracer diff bad empty; echo "exit $?"
mtracer merge -q -o sum.mtrace bad none.mtrace; echo "exit $?"; ls sum.mtrace
mtracer report none; echo "exit $?"
