# What is left out is said; what is too small doesn't count for the exit status.
mtracer leaks --limit 1 --frames 1 $TRACES/leaks.mtrace | tail -n +5; echo
mtracer leaks --min-bytes 1KiB $TRACES/leaks.mtrace >/dev/null; echo "exit $?"
mtracer leaks --min-bytes 1MiB $TRACES/leaks.mtrace; echo "exit $?"
