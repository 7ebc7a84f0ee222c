# Six lines on stderr: what ran, how it ended, its memory, what it took from the system, what to type next.
plain() { sed -E 's/[0-9.]+ (us|ms|s)\b/TIME/g; s/ \(tracer ≤ [0-9.]+ [KMG]iB\)//; s/peak RSS [0-9.]+ [KMG]iB; //; s/[0-9.]+ ([KM]iB|B)\b/SIZE/g; s/[0-9]+ (allocation|block)s?/N \1s/g; s/, [0-9]+ temporary \([0-9.]+ %\)//; s/\.[0-9]+\.mtrace/.PID.mtrace/g; s/mtrace\.[0-9]+/mtrace.PID/g; /^note: /d' "$1"; }
mtracer run -- sh -c 'exit 3' 2>err; echo "exit $?"; plain err
mtracer run -o t.mtrace -- sh -c 'kill -ABRT $$' 2>err; echo "exit $?"; plain err
mtracer run -o "a trace" -- true 2>err; plain err
mtracer run -q -- true; echo "quiet: exit $?"
mtracer run -o t.mtrace -- sh -c 'sh -c "sh -c :; :"; :' 2>err; plain err
mtracer run -o t.mtrace -- sh -c 'exec sh -c "exec true"' 2>err; plain err
