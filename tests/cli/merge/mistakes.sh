mtracer merge $TRACES/leaks.mtrace; echo "exit $?"
mtracer merge -o sum.mtrace; echo "exit $?"
mtracer merge -o sum.mtrace $TRACES/leaks.mtrace none.mtrace; echo "exit $?"; ls
echo text >text; mtracer merge -o text $TRACES/leaks.mtrace; echo "exit $?"; cat text
mtracer merge -o sum.mtrace $TRACES/leaks.mtrace $TRACES/demo.mtrace; echo "exit $?"
mtracer merge -o none/sum.mtrace $TRACES/leaks.mtrace; echo "exit $?"
