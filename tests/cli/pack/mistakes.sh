mtracer pack none.mtrace; echo "exit $?"
echo text >text; mtracer pack text; echo "exit $?"; mtracer pack -o text $TRACES/leaks.mtrace; echo "exit $?"; cat text
mtracer pack --plain $TRACES/leaks.mtrace; echo "exit $?"
cp $TRACES/leaks.mtrace t; mtracer pack -q t
head -c 300 t.zst >short.zst; mtracer report short.zst; echo "exit $?"
head -c 20 t.zst >shorter.zst; mtracer info shorter.zst; echo "exit $?"
printf '\050\265\057\375' >magic.zst; mtracer leaks magic.zst; echo "exit $?"
mtracer pack -o . t; echo "exit $?"
# Nothing is packed twice by mistake.
mtracer pack t.zst; echo "exit $?"; mtracer pack -q -o u t; cp u u.mtrace; mtracer pack u.mtrace; echo "exit $?"; mtracer pack; echo "exit $?"
cp t plain.zst; mtracer pack plain.zst; echo "exit $?"; mtracer pack -q -o again.zst t.zst; echo "exit $?"; ls
