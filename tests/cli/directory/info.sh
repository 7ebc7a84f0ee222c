# The processes as a tree: who started whom, what a process ran one after the other, reused pids.
make() { TEST_APP= $TEST_MAKE_TRACE "$1" traces/$2.mtrace; }
mkdir traces
process() { # NAME PROGRAM PID PARENT START END STATE BYTES TICKS
    printf 'program %s\nargument %s\nheader pid %s\nheader parent_pid %s\nheader start_ns %s\nheader end_ns %s\nheader state %s\nheader start_ticks %s\n' \
        "$2" "${2##*/}" $3 $4 $5 $6 $7 $9
    printf 'module app 0x400000 0x400000 0x420000 exe %s\nframe main app 0x410016\nsite s whole heap main\nalloc s %s\n' "$2" $8
} >description
process make /opt/make 10 1 1000000000 9000000000 2 1000 1; make description 1
process sh /opt/sh 11 10 2000000000 0 1 100 2; make description 2
process cc /opt/cc 11 10 3000000000 1000000000 2 5000 2; make description 3
process cc1 /opt/cc1 12 11 3500000000 400000000 2 7000 3; make description 4
process cc /opt/cc 12 10 5000000000 1000000000 2 6000 4; make description 5
process orphan /opt/orphan 99 98 6000000000 1000000000 2 1 5; make description 6
process make /opt/make 13 10 1000000000 9000000000 2 10 9; echo header forked_from 10 >>description; make description 0
mtracer info traces 2>/dev/null | sed -n '1p;/^process/,/^$/p'
mtracer info --json traces | grep '"pid"\|"processes"' | sed 's/, "start_ns.*peak/, ... "peak/'
mtracer report traces | sed -n '1,5p'
