printf 'leak:a\nrace:b\n' >race.supp
printf '{\n  name\n  Memcheck:Leak\n  fun:f\n' >open.supp
printf '{\n  name\n  Memcheck:Leak\n  func:f\n}\n' >frame.supp
for file in race.supp open.supp frame.supp none.supp /; do
	mtracer leaks -s $file $TRACES/leaks.mtrace; echo "exit $?"
done
mtracer leaks --min-bytes big $TRACES/leaks.mtrace; echo "exit $?"
mtracer leaks none.mtrace; echo "exit $?"
mtracer leaks 2147483646; echo "exit $?"
