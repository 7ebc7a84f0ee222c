# Functions and lines come along: the program may be gone.
cp $TRACES/leaks.mtrace t.mtrace
mtracer pack -q t.mtrace -o kept.zst
mtracer pack -q --no-symbols t.mtrace -o bare.zst
mtracer report --sysroot /nonexistent kept.zst | sed -n 5,7p
mtracer pack -q --plain kept.zst -o plain.mtrace && mtracer report plain.mtrace | sed -n 5,7p
mtracer pack -q --plain plain.mtrace -o again.mtrace && cmp plain.mtrace again.mtrace && echo "unpacked: the same"
test $(wc -c <bare.zst) -lt $(wc -c <kept.zst) && echo "smaller without"
