# Pools are identified by the symbols of the program, its libraries, and what it became; --unpool turns them off.
exec 2>&1
run() { mtracer run --quiet -o t.mtrace "$@"; echo "exit $?"; }
library() { echo "void $1(void) {}" >library.c; gcc -shared -fPIC -o $2 library.c; }
program() { gcc -o $1 main.c -Wl,--no-as-needed -Wl,-rpath,. $2 $3; }
echo 'int main(void) { return 0; }' >main.c
library apr_palloc ./libapr.so
program apr ./libapr.so
for glib in 7400.6 7600.0; do
	library g_slice_alloc ./libglib-2.0.so.0.$glib
	program glib$glib ./libglib-2.0.so.0.$glib
done
program both ./libglib-2.0.so.0.7400.6 ./libapr.so
echo 'int main(void) { return 0; } void _emalloc(void) {}' >main.c
program php -rdynamic
echo '#include <ext/pool_allocator.h>
int main() { __gnu_cxx::__pool_alloc<int> a; a.deallocate(a.allocate(1), 1); return 0; }' >pool.cc
g++ -o pool pool.cc
for program in apr glib7400.6 glib7600.0 both php pool; do
	run -- ./$program
	run --unpool -- ./$program
done
G_SLICE=debug-blocks,always-malloc run -- ./both
USE_ZEND_ALLOC=1 run -- ./php
USE_ZEND_ALLOC=0 run -- ./php
run -- sh -c 'exec ./php'
G_SLICE=debug-blocks mtracer run --quiet -o t.mtrace --unpool -- sh -c 'echo $PYTHONMALLOC $G_SLICE $GLIBCXX_FORCE_NEW $USE_ZEND_ALLOC'
