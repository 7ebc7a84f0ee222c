# What it prints suppresses what it was printed for.
mtracer leaks --gen-suppressions $TRACES/leaks.mtrace | sed "s|obj:.*/app.so|obj:APP|" ; echo "exit $?"
mtracer leaks --gen-suppressions --all $TRACES/leaks.mtrace >all.supp
mtracer leaks --all -s all.supp --unused-suppressions $TRACES/leaks.mtrace | tail -n +5
