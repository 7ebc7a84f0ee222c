: >empty
mtracer info empty; echo "exit $?"
mtracer info missing; echo "exit $?"
