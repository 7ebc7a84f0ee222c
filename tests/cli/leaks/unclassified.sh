# No scan: live blocks as they are, why, and no exit status unless it is asked for.
mtracer leaks --limit 1 $TRACES/app.mtrace; echo "exit $?"
mtracer leaks --strict --limit 1 $TRACES/app.mtrace >/dev/null; echo "exit $?"
mtracer leaks $TRACES/losses.mtrace | grep verdict
