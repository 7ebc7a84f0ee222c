# Ctrl-C is for the program; what is sent to mtracer alone is passed on; the program's own dispositions are as they were.
mtracer run -q -o t.mtrace -- sh -c 'kill -INT $PPID; kill -QUIT $PPID; sleep 0.1; exit 3'; echo "exit $?"
for signal in TERM HUP USR1; do
    rm -f ready
    mtracer run -q -o t.mtrace -- sh -c "trap 'echo got $signal; exit 4' $signal; : >ready; while :; do sleep 0.05; done" &
    timeout 60 sh -c 'until [ -f ready ]; do sleep 0.02; done'
    kill -$signal $!
    wait $!
    echo "exit $?"
done
ignored() { grep -E '^Sig(Ign|Blk|Cgt)' /proc/self/status; }
ignored >before
mtracer run -q -o t.mtrace -- grep -E '^Sig(Ign|Blk|Cgt)' /proc/self/status >after
cmp before after && echo "same dispositions"
(trap '' HUP CHLD INT; ignored >before; mtracer run -q -o t.mtrace -- grep -E '^Sig(Ign|Blk|Cgt)' /proc/self/status >after; echo "exit $?")
cmp before after && echo "same dispositions when ignored"
