mtracer report --match "table\.c:(20|23)$" $TRACES/app.mtrace
mtracer report --match "^parse_" --exclude ":13" $TRACES/app.mtrace
mtracer report --exclude "app" $TRACES/app.mtrace
mtracer report --match nothing_like_this $TRACES/app.mtrace
