# The size of several blocks is known where each stack lost one; where they differ, or one lost several, it is an average.
one_each() {
    sed -E '/^(alloc|leak) four/d; s/^(alloc .* 30) [0-9]+$/\1 1/; s/^(leak .* lost) .*/\1 30 1/' "$TEST_GOLDEN/good/branches.trace"
}
one_each > same.trace
one_each | sed -E 's/^(alloc three) 30/\1 60/; s/^(leak three lost) 30/\1 60/' > other.trace
for name in same other; do
    "$TEST_MAKE_TRACE" $name.trace $name.mtrace
    mtracer leaks $name.mtrace | grep '^lost'
done
