# The boxes; style and script are the same in all, and tests/export reads the rest.
mtracer flamegraph $TRACES/app.mtrace 2>/dev/null | sed '/<style>/,/<\/style>/d; /<script>/,/<\/script>/d'
mtracer flamegraph --inverted --measure current $TRACES/app.mtrace 2>/dev/null | grep '^<title>\|^<g \|blocks<'
mtracer flamegraph $TRACES/nothing.mtrace 2>/dev/null | grep '^<title>\|<g '
mtracer flamegraph --match nothing $TRACES/app.mtrace 2>/dev/null | grep '^<title>\|^<desc>'
mtracer flamegraph --folded $TRACES/app.mtrace
