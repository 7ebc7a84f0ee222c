for trace in app names losses threads nothing; do
    for by in line function file module site thread; do
        mtracer report --json --by $by "$TRACES/$trace.mtrace" >$trace.$by.json 2>/dev/null || echo $trace $by
    done
    mtracer info --json "$TRACES/$trace.mtrace" >$trace.info.json || echo $trace
done
python3 - *.json <<END
import json, sys
for name in sys.argv[1:]:
    json.load(open(name))
print(len(sys.argv) - 1, "files")
END
