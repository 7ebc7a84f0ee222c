mtracer leaks --all --json $TRACES/plain/leaks.mtrace | sed 's|"mtrace.*plain|"plain|'
