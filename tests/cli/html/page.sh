mtracer html $TRACES/threads.mtrace >one; mtracer html -o two $TRACES/threads.mtrace; cmp one two
head -2 one; tail -2 one; grep -c "<script" one
# The data: without the version.
sed -n 's/.*id="data">\(.*\)<\/script>/\1/p' one | sed 's/"mtracer":"[^"]*"/"mtracer":"V"/; s/"path":"[^"]*threads/"path":"threads/'
mtracer html --diff $TRACES/before.mtrace $TRACES/after.mtrace | sed -n 's/.*"diff":\(.*\),"warnings".*/\1/p' | sed 's/"path":"[^"]*before/"path":"before/'
mtracer html $TRACES/nothing.mtrace | grep -c '"nodes":\[\]'
