# Every command and every option of the tables is in mtracer(1).
page=$TEST_MAN/mtracer.1
sed -e 's/\\-/-/g' -e 's/\\f[BIR]//g' $page >plain
for command in $(mtracer help | sed -n "/^commands:/,/^\$/s/^  \([a-z]*\) .*/\1/p" | grep -v help); do
    grep -q "^.SS mtracer $command\$" plain || echo "no section for $command"
    sed -n "/^.SS mtracer $command\$/,/^.S[SH] [^m]/p" plain | sed '1d' | sed '/^.SS/,$d' >section
    mtracer help $command | grep -o "^  .*--[a-z-]*" | grep -o -e "--[a-z-]*$" | while read -r option; do
        [ $option = --help ] || grep -q "^\(-., \)\{0,1\}$option\( \|\$\)" section || echo "$command: no $option"
    done
done
grep -c "^.SS mtracer report" plain
# The variables of the library are in libmtrace(7), all that its table has.
sed -n 's/.*{ "\(MTRACE_[A-Z]*\)".*/\1/p' $TEST_SOURCE/preload/sys/env.c | while read -r name; do
    grep -q "^.fB$name" $TEST_MAN/libmtrace.7 || echo "libmtrace(7): no $name"
done
# The format's tables are in mtrace-format(5).
grep -c "^.SH" $TEST_MAN/mtrace-format.5
# troff has nothing to complain of.
if command -v man >/dev/null && command -v groff >/dev/null; then
    for page in mtracer.1 libmtrace.7 mtrace-format.5; do
        MANWIDTH=100 LC_ALL=C.UTF-8 man -l --warnings $TEST_MAN/$page 2>&1 >/dev/null | grep -v "cannot adjust"
    done
fi
true
