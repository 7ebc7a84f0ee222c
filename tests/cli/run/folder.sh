# A directory beside here is made, and is for processes that go elsewhere, too.
mtracer run -q --out made/deep/%n.mtrace -- sh -c 'cd / && env true && exit 3'; echo "exit $?"
ls made/deep
