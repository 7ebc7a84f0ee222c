# Both formats; what is suppressed doesn't count; unused ones are listed.
cat >lsan.supp <<EOF
# the table is kept on purpose
leak:build_table
leak:nothing_like_it
EOF
cat >valgrind.supp <<EOF
{
   parsed lines
   Memcheck:Leak
   match-leak-kinds: definite
   fun:malloc
   ...
   fun:parse_line
}
{
   never seen
   Memcheck:Leak
   obj:*/libnothing.so*
}
EOF
mtracer leaks -s lsan.supp $TRACES/leaks.mtrace | tail -n +5; echo "exit $?"
mtracer leaks --suppressions lsan.supp --suppressions valgrind.supp --unused-suppressions $TRACES/leaks.mtrace; echo "exit $?"
echo 'leak:no_lines' >>lsan.supp
mtracer leaks -s lsan.supp -s valgrind.supp $TRACES/leaks.mtrace | tail -n +5
mtracer leaks -s lsan.supp -s valgrind.supp $TRACES/leaks.mtrace >/dev/null; echo "exit $?"
mtracer leaks -s lsan.supp -s valgrind.supp --no-builtin --limit 1 $TRACES/leaks.mtrace | tail -n +5
