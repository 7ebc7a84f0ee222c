mtracer export -f folded $TRACES/app.mtrace
mtracer export -f folded -m current --no-wrappers $TRACES/app.mtrace 2>/dev/null
mtracer export -f csv $TRACES/threads.mtrace
mtracer export -f callgrind -m allocations $TRACES/app.mtrace 2>/dev/null
mtracer export -f dhat $TRACES/names.mtrace
mtracer export -f speedscope $TRACES/names.mtrace
mtracer export -f heaptrack $TRACES/plain/branches.mtrace | head -40
mtracer export -f massif $TRACES/timeline.mtrace
mtracer export -f json $TRACES/names.mtrace
