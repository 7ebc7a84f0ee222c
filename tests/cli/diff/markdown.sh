mtracer diff --markdown --fail-over 5% --fail-over-site 1MiB $TRACES/before.mtrace $TRACES/after.mtrace; echo "exit $?"
mtracer diff --markdown --limit 0 $TRACES/names.mtrace $TRACES/app.mtrace 2>/dev/null | grep -c '^|'
