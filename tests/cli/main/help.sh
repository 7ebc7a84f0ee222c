mtracer help >one
mtracer --help >two
mtracer -h >three
cmp one two && cmp one three && cat one
