for key in current blocks peak at-peak allocated count temporary name; do
    echo "$key:"
    mtracer report --sort $key -n 4 $TRACES/app.mtrace | sed -n "6,9p"
done
