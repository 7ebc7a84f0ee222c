for options in --csv --json "--svg a.svg"; do mtracer timeline $options $TRACES/app.mtrace; echo "exit $?"; done
mtracer merge -o sum.mtrace $TRACES/timeline.mtrace $TRACES/app.mtrace >/dev/null
mtracer timeline sum.mtrace; echo "exit $?"
mtracer merge -o one.mtrace $TRACES/timeline.mtrace >/dev/null
mtracer timeline --csv one.mtrace | cksum; mtracer timeline --csv $TRACES/timeline.mtrace | cksum
mtracer pack --out packed.zst $TRACES/timeline.mtrace >/dev/null
mtracer timeline --json packed.zst | grep -A4 '"peak": '
mtracer timeline --json --csv $TRACES/timeline.mtrace; echo "exit $?"
echo text >notes; mtracer timeline --svg notes $TRACES/timeline.mtrace; echo "exit $?"; cat notes
