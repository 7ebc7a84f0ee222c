mtracer diff $TRACES/demo.mtrace $TRACES/before.mtrace | head -1; echo "exit $?"
