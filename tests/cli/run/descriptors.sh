# The program has the descriptors that it would have anyway; the library's own is far away.
ls /proc/self/fd >before
mtracer run -q -o t.mtrace -- ls /proc/self/fd >after
awk '$1 < 100' after | diff before - && echo "same"
echo input | mtracer run -q -o t.mtrace -- cat
mtracer run -q -o t.mtrace -- sh -c 'echo to stderr >&2' 2>&1
