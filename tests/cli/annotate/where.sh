# The same file by each way to find it.
. "$(dirname "$0")/sources.inc"
for how in "--path-map /src/app=src" "--path-map /src/app/=src/" "--path-map /=$PWD/image" "--source-dir src" "--source-dir $PWD/src/" "--sysroot $PWD/image" "--path-map /src/ap=src" "--path-map=/src/app=nowhere"; do
    mkdir -p image/src && ln -sfn ../../src image/src/app
    mtracer annotate --json $how $TRACES/app.mtrace build_table 2>/dev/null | grep -o '"source": [^,]*' | sed "s,$PWD,PWD,"
done
# Of two files of one name, the one whose directories agree.
mkdir other && cp src/table.c other/table.c && cp -r src/lib other/
mtracer annotate --json --source-dir other $TRACES/app.mtrace parse_line | grep -o '"source": [^,]*'
mtracer annotate --path-map src $TRACES/app.mtrace; echo "exit $?"
mtracer annotate --path-map =src $TRACES/app.mtrace; echo "exit $?"
