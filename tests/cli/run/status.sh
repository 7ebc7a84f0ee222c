# The program's own status comes out, and its output is untouched.
run() { mtracer run -q -o t.mtrace -- "$@"; echo "exit $?"; }
run true
run sh -c 'echo out; exit 7'
run sh -c 'kill -SEGV $$'
run sh -c 'kill -KILL $$'
run ./missing 2>err; cat err
: >text; run ./text 2>err; cat err
mkdir directory; run ./directory 2>err; cat err
printf '#!/no/such/interpreter\n' >script; chmod +x script; run ./script 2>err; cat err
printf 'exit 5\n' >plain; chmod +x plain; run ./plain
run no-such-command 2>err; cat err
