export LC_ALL=C.UTF-8
mtracer timeline --markdown $TRACES/timeline.mtrace
mtracer timeline --markdown --limit 1 --ascii $TRACES/timeline.mtrace | tail -4
# A label can end neither the block of code nor its line.
LC_ALL=C sed "s/half/\`\`\`\n/" $TRACES/timeline.mtrace >fence.mtrace; mtracer timeline --markdown fence.mtrace | grep -n "\`\`\`"
