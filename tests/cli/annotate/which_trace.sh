# An operand that names a trace is one wherever it stands, and an error where it is broken: no other trace is read instead.
. "$(dirname "$0")/sources.inc"
cp $TRACES/app.mtrace new.mtrace
mtracer annotate build_table $TRACES/app.mtrace | sed -n "6p"
mtracer annotate build_table build_table other.mtrace; echo "exit $?"
head -c 100 new.mtrace >broken.mtrace; mkdir folder; cp broken.mtrace folder/broken
echo text >text; echo text >text.zst
for operand in broken.mtrace "build_table broken.mtrace" none.mtrace none.zst text.zst ./text folder/broken folder/none $PWD/none ./none folder/ \
	"new.mtrace $TRACES/app.mtrace"; do
	mtracer annotate $operand 2>err; echo "$operand: exit $?" | sed "s#$PWD#PWD#"; sed "s#$PWD#PWD#g" err
done
rm broken.mtrace
for operand in text /dev/null; do mtracer annotate $operand; echo "exit $?"; done
# These are no traces by their names.
for pattern in table.c:20 ./table.c "(a|b)/build" /opt/app/table.c; do mtracer annotate "$pattern" >out; echo "$pattern: exit $?"; done
# Nor is a trace a function or an expression.
for options in "tree --peek new.mtrace" "tree --peek broken.mtrace" "report --match new.mtrace" "tree --exclude none.mtrace.zst"; do
	mtracer $options; echo "$options: exit $?"
done
mkdir none; mtracer annotate none; echo "exit $?"
mtracer new.mtrace; echo "exit $?"
