# The command that is printed next can be pasted.
ln -s "$(readlink -f "$(command -v mtracer)")" "the mtracer"
(PATH=/usr/bin:/bin; "./the mtracer" run -o "it's" -- sh -c 'sh -c : ; :' 2>&1 | grep ^next)
