mtracer leaks --all --frames 2 $TRACES/leaks.mtrace
