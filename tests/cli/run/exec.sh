# A process that went on as another program has not died: its next trace lies beside.
told()
{
    sed "s/\.mtrace\.[0-9]*/.mtrace.PID/; s|as /[^ ]*/|as /|; s/at least [0-9.]* [mu]*s/at least TIME/"
}
mtracer run -q -o t.mtrace -- sh -c 'exec true'; echo "exit $?"
mtracer info t.mtrace | grep '^ran' | told
mtracer leaks t.mtrace | grep '^no verdict' | told
mtracer leaks --json t.mtrace | grep -c '"state": "exited"'
# On its own nothing tells this from a death.
mkdir alone && cp t.mtrace alone/
mtracer info alone/t.mtrace | grep '^ran' | told
