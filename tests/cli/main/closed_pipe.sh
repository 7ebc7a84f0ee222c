# The reader goes away at once; that is no error, and nothing is said.
(trap "" PIPE; mtracer report --by site --json $TRACES/app.mtrace 2>err; echo "exit $?" >status) | true
cat status
grep standard err || true
