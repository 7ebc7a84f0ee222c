# What bash offers; compopt only works inside of a completion.
mkdir "with space" && : >a.mtrace && : >b.txt
cat >ask.bash <<'END'
eval "$(mtracer completion bash)"
compopt() { :; }
ask()
{
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _mtracer
    echo "$*:"
    printf '    %s\n' "${COMPREPLY[@]}"
}
ask mtracer re
ask mtracer report --by ''
ask mtracer report --by = li
ask mtracer report -b m
ask mtracer report --debug-dir w
ask mtracer info ''
ask mtracer tree --ca
ask mtracer help an
END
bash ask.bash
