# Scripts that the shells understand; those that aren't there can't say.
for shell in bash zsh fish; do
    mtracer completion $shell >script.$shell || echo "$shell: no script"
    command -v $shell >/dev/null || continue
    $shell -n script.$shell || echo "$shell: syntax"
done
# Every option of every command is in each of them.
for command in $(mtracer help | sed -n "/^commands:/,/^\$/s/^  \([a-z]*\) .*/\1/p" | grep -v help); do
    mtracer help $command | grep -o "^  .*--[a-z-]*" | grep -o -e "--[a-z-]*$" | while read -r option; do
        [ $option = --help ] && continue
        for shell in bash zsh; do
            grep -q -e "$option" script.$shell || echo "$shell: $command $option"
        done
        grep -q -e "from $command' -l ${option#--} " script.fish || echo "fish: $command $option"
    done
done
mtracer completion tcsh; echo "exit $?"
mtracer completion; echo "exit $?"
mtracer help | grep completion || true
