for options in "--by lines" "--sort pek" "--sort zzzzzzzz" "--limit many" "--match (" "--exclude [" "--wrapper *(" "--bogus" "--cumulative --by site" "--cumulative --by thread"; do
    mtracer report $options $TRACES/app.mtrace
    echo "exit $?"
done
mtracer report
echo "exit $?"
mtracer report a b
echo "exit $?"
