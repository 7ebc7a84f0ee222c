# Without a trace it is the newest here; what is no trace doesn't count.
. "$(dirname "$0")/sources.inc"
mtracer annotate build_table; echo "exit $?"
mtracer report; echo "exit $?"
mtracer tree; echo "exit $?"
mtracer info; echo "exit $?"
cp $TRACES/nothing.mtrace old.mtrace && touch -d "2001-01-01" old.mtrace
cp $TRACES/app.mtrace new.mtrace && touch -d "2002-01-01" new.mtrace
echo "no trace" >text.mtrace && : >empty.mtrace && mkdir directory.mtrace
cp $TRACES/app.mtrace other.name
mtracer annotate build_table | sed -n "6p"
mtracer report | sed -n "3p"
mtracer tree | sed -n "3p"
mtracer info | sed -n "1p"
mtracer annotate src/table.c | sed -n "6p"
touch old.mtrace
mtracer report | sed -n "3p"
mtracer annotate other.name build_table | sed -n "6p"
