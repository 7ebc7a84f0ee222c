mtracer diff --json --fail-over 5% --fail-over-site 64KiB $TRACES/plain/before.mtrace $TRACES/plain/after.mtrace | sed 's|"/[^"]*plain/|"|'
