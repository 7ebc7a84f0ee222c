# A process that went on as another program has not died: its trace says as what, and its next one lies beside.
told()
{
    sed "s/\.mtrace\.[0-9]*/.mtrace.PID/; s|/usr/bin/|/bin/|; s/ran  *[0-9.]* [mu]*s/ran TIME/"
}
bin=$(command -v true)
mtracer run -q -o t.mtrace -- sh -c "exec $bin"; echo "exit $?"
mtracer info t.mtrace | grep '^ran' | told
mtracer leaks t.mtrace | grep '^no verdict' | told
mtracer leaks --json t.mtrace | grep -c '"state": "exited"'
# Alone, and packed, it still says so.
mkdir alone && cp t.mtrace alone/
mtracer info alone/t.mtrace | grep '^ran' | told
mtracer leaks alone/t.mtrace | grep '^no verdict' | told
mtracer pack -q -o packed.mtrace.zst alone/t.mtrace; mtracer info packed.mtrace.zst | grep '^ran' | told
# Where that isn't traced, the status is of the last program, and there is no verdict.
mtracer run -q --no-follow --leaks-exit-code 3 -o u.mtrace -- sh -c 'exec env false' 2>err; echo "exit $?"; grep verdict err | told
mtracer info u.mtrace | grep '^ran' | told | sed 's|as .*/env|as /bin/env|'
mtracer info --json u.mtrace | grep -E '"(state|exit_status|signal)"'
mtracer run --no-follow -o w.mtrace -- sh -c 'exec env true' 2>&1 | grep '^ran' | told | sed 's|as .*/env|as /bin/env|'
mtracer run -q --no-follow -o k.mtrace -- sh -c 'exec env sh -c "kill -9 \$\$"'; echo "exit $?"
mtracer info k.mtrace | grep '^ran' | told | sed 's|as .*/env|as /bin/env|'
mtracer merge -q -o m.mtrace t.mtrace u.mtrace k.mtrace; mtracer info m.mtrace | grep -c 'went on'
