for command in $(mtracer help | sed -n "/^commands:/,/^\$/s/^  \([a-z]*\) .*/\1/p" | grep -v help); do
    mtracer help $command >one && mtracer $command --help >two && cmp one two && grep -c "^usage: mtracer $command " one
    mtracer $command --bogus-option 2>/dev/null
    echo "exit $?"
done
# On the narrowest terminal, no line is cut.
for command in $(mtracer help | sed -n "/^commands:/,/^\$/s/^  \([a-z]*\) .*/\1/p") ; do mtracer help $command | awk -v c=$command "length(\$0) > 82 { print c \": \" \$0 }"; done
