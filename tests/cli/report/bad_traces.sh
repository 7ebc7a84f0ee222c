for trace in newer byte_order magic state page_size; do
    (cd $TRACES && mtracer report $trace.mtrace)
    echo "exit $?"
done
: >empty
echo "this is a text" >text
head -c 5000 $TRACES/app.mtrace >short
head -c 30000 $TRACES/app.mtrace >cut
mkdir directory
for trace in empty text short cut directory missing; do
    mtracer report $trace
    echo "exit $?"
done
