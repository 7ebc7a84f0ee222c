mtracer leaks $TRACES/leaks.mtrace
