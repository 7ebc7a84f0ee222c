# Exit 1 when a limit is exceeded, and who did it.
run() { mtracer diff "$@" $TRACES/before.mtrace $TRACES/after.mtrace >out; echo "$*: exit $?"; sed -n '/FAILED/,/^at the end/{/^at/d;p};/passed/p' out; }
run --fail-over 5%
run --fail-over 90%
run --fail-over 16KiB
run --fail-over 10KiB
run --fail-over-site 19KiB
run --fail-over-site 20000B
run --fail-over-site 50%
run --measure allocations --fail-over 1%
run --measure allocations --fail-over-site 20
run --measure current_bytes --fail-over 0 --fail-over-site 1MiB
mtracer diff --fail-over 0 --fail-over-site 0% $TRACES/after.mtrace $TRACES/before.mtrace | head -4
