# What is printed next can be pasted: it finds this program, and the file, whatever they are called.
real=$(readlink -f "$(command -v mtracer)")
next() { "$@" | sed -n 's/^next: //p' | sed "s#$real#REAL#"; }
cp $TRACES/plain/app.mtrace "it's a trace"; cp "it's a trace" -- -t; cp "it's a trace" t
next mtracer report "it's a trace"; next mtracer report -- -t
mkdir "a dir" other; ln -s "$real" "a dir/mtracer"; ln -s "$real" other/mt; printf '#!/bin/sh\necho another\n' >other/mtracer; chmod +x other/mtracer
next "a dir/mtracer" report t
(PATH=$PWD/other:$PATH; next "a dir/mtracer" report t; next mt report t; next "$real" report t)
(PATH=/usr/bin:/bin; next "a dir/mtracer" report t; next other/mt report t; next "$real" report t; eval "$("a dir/mtracer" report "it's a trace" | sed -n 's/^next: //p')" | sed -n 1p)
