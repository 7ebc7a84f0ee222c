# Each option is a variable of the program, and nothing else changes.
show() { mtracer run -q "$@" -- sh -c 'env | grep "^MTRACE_\|^LD_PRELOAD" | sort' | sed 's#=[^:]*/libmtrace.so#=LIBRARY#'; }
echo "none:"; show --out a.mtrace
echo "all:"; show --out=a.mtrace --depth 5 --no-start --no-follow --sample 64KiB --no-reachable --mmap
echo "on:"; show -o a.mtrace --start --follow --reachable --no-mmap
echo "inherited:"; MTRACE_DEPTH=7 MTRACE_OUT=b.mtrace show
echo "over inherited:"; MTRACE_DEPTH=7 MTRACE_FOLLOW=0 show -o a.mtrace --depth 8 --follow
echo "preloaded:"; (LD_PRELOAD="libm.so.6 /other/libmtrace.so:libdl.so.2" show -o a.mtrace) 2>/dev/null # ld.so complains of libraries that are not there
env >before; mtracer run -q -o a.mtrace -- env >after; diff before after | grep '^[<>]' | sed 's/=.*//; s/^> _$//; s/^< _$//' | grep . | sort
