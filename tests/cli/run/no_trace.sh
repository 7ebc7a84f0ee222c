# What the library says of why it didn't trace comes from itself; run says that there is no trace.
ours() { grep "^mtracer:" err; grep -c "^libmtrace:" err; }
mtracer run -o /nonexistent/dir/t.mtrace -- sh -c 'exit 2' 2>err; echo "exit $?"; ours
echo precious >t.mtrace
mtracer run -o t.mtrace -- true 2>err; echo "exit $?"; ours
cat t.mtrace
MTRACE_DEPTH=x mtracer run -o u.mtrace -- sh -c 'kill -TERM $$' 2>err; echo "exit $?"; ours
