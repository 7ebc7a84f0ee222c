# A script's interpreter is traced; a command is found along PATH; arguments arrive as they are.
printf '#!/bin/sh\nprintf "%%s|" "$@"\necho\n' >script; chmod +x script
mtracer run -q -o t.mtrace -- ./script a 'b c' '' '--depth' '*'
mkdir bin; cp script bin/my-command
PATH=$PWD/bin:$PATH mtracer run -q -o t.mtrace my-command --out x -- y
ls t.mtrace
