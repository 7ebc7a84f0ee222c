# Callers, and callees with the function itself, add up to the function.
for function in build_table parse_line main xmalloc reserve no_lines; do
    mtracer tree --peek $function --min-percent 0 $TRACES/app.mtrace
done
mtracer tree --peek table.c $TRACES/app.mtrace
mtracer tree --peek parse_line --sort current $TRACES/app.mtrace
