#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes shell completions from spec/options.def: bash, zsh and fish.

    make_completions.py TREE OUTPUT_DIR
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../spec"))
from tables import read_options, read_rules, read_verbs  # noqa: E402

# What can follow an option, by its type in the table; other types take anything.
WORDS = {
    "LEVEL": "error warning note never",
    "COLOR": "auto always never",
    "FORMAT": "text json html sarif junit gitlab github markdown",
    "MODE": "full bounded",
    "FOLLOW": "all none",
    "RACES": "auto off deep record record-full",
    "REDACT": "none args",
}
FILES = ("PATH", "PATHS")  # types whose value is a file or folder


def options_of(verb, options):
    return [option for option in options if verb.name in option.verbs]


def spelled(option):
    return f"--{option.name}{'=' if option.argument else ''}"


def words_of(option, rules):
    if option.type == "RULES":
        return " ".join(rule.id for rule in rules)
    if option.argument and "|" in option.argument:
        return option.argument.replace("|", " ")
    if option.type == "REPORT":
        return " ".join(word + "=" for word in WORDS["FORMAT"].split())
    return WORDS.get(option.type, "")


def bash_value(option, rules):
    """The value of an option, which is the word after it."""
    words = words_of(option, rules)
    names = f"--{option.name}" + (f"|-{option.letter}" if option.letter else "")
    if words:
        yield f'\t{names})'
        yield f'\t\tCOMPREPLY=($(compgen -W "{words}" -- "$cur"))'
        if option.type == "REPORT":
            yield '\t\t[[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace'
        yield '\t\treturn ;;'
    elif option.type in FILES:
        yield f'\t{names}) COMPREPLY=($(compgen -f -- "$cur")) && return ;;'
    else:
        yield f'\t{names}) return ;;'


def topics(verbs, rules):
    return " ".join(["rules", *(verb.word for verb in verbs), *(rule.id for rule in rules)])


def bash(verbs, options, rules):
    yield "# bash completion for thrum; made from spec/options.def"
    yield "_thrum()"
    yield "{"
    yield "\tlocal cur prev words cword split=false i verb=''"
    yield "\tif declare -F _init_completion >/dev/null; then"
    yield "\t\t_init_completion -s || return"
    yield "\telse"
    yield '\t\tcur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=("${COMP_WORDS[@]}") cword=$COMP_CWORD'
    yield "\t\t# Without bash-completion the = of --option=value is a word of its own."
    yield "\t\t[[ $cur == = ]] && cur=''"
    yield "\t\t[[ $prev == = ]] && prev=${COMP_WORDS[COMP_CWORD-2]}"
    yield "\t\t[[ -z $cur && ${COMP_WORDS[COMP_CWORD]} == = ]] && prev=${COMP_WORDS[COMP_CWORD-1]}"
    yield "\tfi"
    yield "\tfor ((i = 1; i < cword; i++)); do"
    yield "\t\tcase ${words[i]} in"
    yield '\t\t--) COMPREPLY=($(compgen -c -- "$cur")) && return ;;'
    yield "\t\t-*) ;;"
    yield "\t\t*) verb=${words[i]} && break ;;"
    yield "\t\tesac"
    yield "\tdone"
    yield "\tcase $prev in"
    for name in dict.fromkeys(option.name for option in options if option.argument):
        yield from bash_value(next(option for option in options if option.name == name), rules)
    yield "\tesac"
    yield "\tcase $verb in"
    yield f'\thelp) COMPREPLY=($(compgen -W "{topics(verbs, rules)}" -- "$cur")) ;;'
    yield f'\t"") COMPREPLY=($(compgen -W "{" ".join(v.word for v in verbs)} help --help --version" -- "$cur")) ;;'
    for verb in verbs:
        words = " ".join(spelled(option) for option in options_of(verb, options))
        rest = "-c" if verb.operands == "COMMAND" else "-f"
        yield f"\t{verb.word})"
        yield '\t\tif [[ $cur == -* ]]; then'
        yield f'\t\t\tCOMPREPLY=($(compgen -W "{words}" -- "$cur"))'
        yield '\t\t\t[[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace'
        yield "\t\telse"
        yield f'\t\t\tCOMPREPLY=($(compgen {rest} -- "$cur"))'
        yield "\t\tfi ;;"
    yield "\tesac"
    yield "}"
    yield "complete -o default -F _thrum thrum"


def quoted(text):
    return text.replace("'", "'\\''").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")


def zsh(verbs, options, rules):
    yield "#compdef thrum"
    yield "# zsh completion for thrum; made from spec/options.def"
    yield "_thrum() {"
    yield "\tlocal -a verbs"
    yield "\tverbs=("
    for verb in verbs:
        yield f"\t\t'{verb.word}:{quoted(verb.line)}'"
    yield "\t\t'help:what a verb or a rule means'"
    yield "\t)"
    yield "\tif (( CURRENT == 2 )); then _describe verb verbs; return; fi"
    yield "\tlocal verb=$words[2]; shift words; (( CURRENT-- ))"
    yield "\tcase $verb in"
    yield f"\t(help) compadd {topics(verbs, rules)} ;;"
    for verb in verbs:
        yield f"\t({verb.word}) _arguments -S \\"
        for option in options_of(verb, options):
            words = words_of(option, rules)
            action = f":{option.argument}:({words})" if words else f":{option.argument}:_files" if option.argument else ""
            equals = "=" if option.argument else ""
            yield f"\t\t'*--{option.name}{equals}[{quoted(option.help)}]{action}' \\"
        yield "\t\t'*::command:_normal' ;;" if verb.operands == "COMMAND" else "\t\t'*:trace:_files' ;;"
    yield "\tesac"
    yield "}"
    yield '_thrum "$@"'


def fish(verbs, options, rules):
    yield "# fish completion for thrum; made from spec/options.def"

    def text(string):
        return string.replace("\\", "\\\\").replace("'", "\\'")

    for verb in verbs:
        yield f"complete -c thrum -n __fish_use_subcommand -a {verb.word} -d '{text(verb.line)}'"
    yield "complete -c thrum -n __fish_use_subcommand -a help -d 'what a verb or a rule means'"
    yield f"complete -c thrum -n '__fish_seen_subcommand_from help' -f -a '{topics(verbs, rules)}'"
    for verb in verbs:
        seen = f"'__fish_seen_subcommand_from {verb.word}'"
        for option in options_of(verb, options):
            words = words_of(option, rules)
            takes = f" -x -a '{words}'" if words else " -r" if option.argument else ""
            letter = f" -s {option.letter}" if option.letter else ""
            yield f"complete -c thrum -n {seen} -l {option.name}{letter}{takes} -d '{text(option.help)}'"


def main(tree, directory):
    tables = read_verbs(tree), read_options(tree), read_rules(tree)
    os.makedirs(directory, exist_ok=True)
    for name, maker in (("thrum.bash", bash), ("_thrum", zsh), ("thrum.fish", fish)):
        with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
            file.write("\n".join(maker(*tables)) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
