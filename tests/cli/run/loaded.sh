# What the dynamic linker is told to start is the program: it is looked into, named, and asked for its libraries.
for linker in /lib64/ld-linux-x86-64.so.2 /lib/ld-linux-aarch64.so.1; do test -e $linker && break; done
program=$(readlink -f "$(command -v env)")
mtracer run -o t.mtrace -- $linker --inhibit-cache --argv0 renamed "$program" true 2>err; echo "exit $?"; grep -v -E '^(ran|peak|[0-9]|resident|next|note)' err
mtracer info --json t.mtrace | grep -m1 '"program"' | grep -c "$program"
cp "$program" foreign; printf '\003\000' | dd of=foreign bs=1 seek=18 conv=notrunc 2>dd.err
mtracer run -o f.mtrace -- $linker ./foreign 2>err; echo "exit $?"; grep mtracer: err
mtracer run -o f.mtrace -- $linker --list ./foreign >out 2>err; grep -c 'another kind' err
cp "$program" own; mtracer run -q -o "%n.mtrace" -- $linker ./own true; ls own.mtrace
# Its libraries are where that linker is told to look.
mkdir lib
echo 'int main(void) { return 3; }' >main.c
echo 'void apr_palloc(void) {}' >library.c
gcc -shared -fPIC -o lib/libapr.so library.c
gcc -o apr main.c -Wl,--no-as-needed -Llib -lapr
mtracer run -q -o a.mtrace -- $linker --library-path lib --inhibit-cache ./apr 2>&1; echo "exit $?"
