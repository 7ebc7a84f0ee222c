# Children that began with their parent's blocks count them again.
make() { TEST_APP= $TEST_MAKE_TRACE description traces/$1.mtrace; }
mkdir traces
printf 'program /opt/app\nheader pid 5\nheader forked_from 4\nsite s whole heap\nalloc s 10\n' >description
make child; cp $TRACES/plain/app.mtrace traces; mtracer report traces | sed -n '1,5p'
make second; mtracer report traces | sed -n '1,5p'
