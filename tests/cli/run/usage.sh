bad() { mtracer run "$@"; echo "exit $?"; }
exec 2>&1
bad
bad --
bad --depth 0 true
bad --depth 1025 true
bad --depth x true
bad --sample x true
bad --out '' true
bad --out 'a%z' true
bad --out 'a%' true
bad --out -- true
bad --no-such true
bad --depth
ls
