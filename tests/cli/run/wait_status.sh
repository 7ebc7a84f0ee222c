# How the program ended is noted in its trace.
mtracer run -q -o a.mtrace -- sh -c 'exit 9'
mtracer run -q -o b.mtrace -- sh -c 'kill -TERM $$'
mtracer run -q -o c.mtrace -- true
for t in a b c; do mtracer report --json $t.mtrace | grep -E '"(state|exit_status|signal)":' | tr -d ' \n'; echo; done
mtracer report a.mtrace | sed -n '2s/.*, //p'
mtracer report b.mtrace | sed -n '2s/.*, //p'
