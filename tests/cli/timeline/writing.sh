# Of what can't be written whole nothing stays, and what is there is kept.
(ulimit -f 2; trap '' XFSZ; mtracer timeline --svg part.svg $TRACES/timeline.mtrace; echo "exit $?"); ls
mtracer timeline --svg none/a.svg $TRACES/timeline.mtrace; echo "exit $?"
mtracer timeline --svg - $TRACES/timeline.mtrace >/dev/full; echo "exit $?"
cp $TRACES/timeline.mtrace t; mtracer timeline --svg t t; echo "exit $?"; cmp t $TRACES/timeline.mtrace
# A label is no formula to a spreadsheet.
LC_ALL=C sed 's/half/=1+1/' $TRACES/timeline.mtrace >formula.mtrace; mtracer timeline --csv formula.mtrace | grep 1+1
