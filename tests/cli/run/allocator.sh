# Another allocator: which it can be, and what goes with it.
exec 2>&1
bad() { mtracer run "$@" -- true; echo "exit $?"; }
bad --allocator nonsense
bad --allocator ''
bad --allocator glibc,
bad --allocator /bin/true
bad --allocator ./none.so
bad --untraced
bad --untraced --allocator glibc --leaks-exit-code 3
plain() { sed -E 's/≤ //; s/[0-9.]+ (us|ms|s)\b/TIME/g; s/[0-9.]+ ([KM]iB|B)\b/SIZE/g; s/ +/ /g; s/( SIZE)+//g' ; }
mtracer run --quiet --allocator glibc -- sh -c 'exit 3'; echo "exit $?"
mtracer run --allocator glibc --untraced -- sh -c 'exit 4' 2>&1 | plain
echo word >word
mtracer run --quiet --allocator glibc,glibc --untraced -- cat <word 2>&1 | plain
mtracer run --quiet --allocator glibc,glibc --out 't.%p' -- sh -c 'exit 5' 2>err; echo "exit $?"
plain <err; ls t.* | wc -l
