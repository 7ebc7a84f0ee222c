# Where the stacks of a row come together again they are shown once.
mtracer leaks --stacks 0 $TRACES/branches.mtrace | tail -n +6
mtracer leaks --stacks 2 --frames 3 $TRACES/branches.mtrace | tail -n +6
