import type { Candidate } from "./complete.ts";

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

/** What a shell's script does with the last word besides what it is offered. */
export type Directive = ":nothing" | ":files" | ":directories";

/** Bash cuts words at `=` and `:`; here they are put together again. */
export function joinBashWords(words: readonly string[]): string[] {
  const joined: string[] = [];
  let glue = false;
  for (const word of words) {
    const isBreak = isBashBreak(word);
    if (joined.length > 0 && (glue || isBreak)) joined.push(`${joined.pop()}${word}`);
    else joined.push(word);
    glue = isBreak;
  }
  return joined;
}

function isBashBreak(word: string): boolean {
  return /^[:=]+$/.test(word);
}

/**
 * What `silk __complete` prints for a shell's script: a line for each candidate, then what else to offer.
 * @param typed the last word as the shell has it: Bash puts a candidate into the place of that alone
 */
export function renderCandidates(
  shell: Shell,
  current: string,
  candidates: readonly Candidate[],
  directive: Directive,
  typed: string = current,
): string {
  const equals = current.startsWith("--") ? current.indexOf("=") : -1;
  const before = current.slice(0, equals + 1);
  const partial = current.slice(equals + 1);
  const standing = isBashBreak(typed) ? current.length : current.length - typed.length;
  const lines = candidates
    .filter(({ value }) => value.startsWith(partial))
    .map(({ value, description }) => {
      if (shell === "bash") return (before + value).slice(standing);
      return description === "" ? before + value : `${before}${value}\t${description}`;
    });
  return [...lines, directive, ""].join("\n");
}

const bash = `# bash completion of silk. Load it with: source <(silk completion bash)
_silk() {
  local current="\${COMP_WORDS[COMP_CWORD]}" line
  local -a lines=()
  [[ $current == [:=] ]] && current=
  COMPREPLY=()
  while IFS= read -r line; do lines+=("$line"); done < <(silk __complete bash -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  (( \${#lines[@]} > 0 )) || return 0
  case "\${lines[-1]}" in
    :files) compopt -o filenames 2>/dev/null; while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$current") ;;
    :directories) compopt -o filenames 2>/dev/null; while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -d -- "$current") ;;
    *) COMPREPLY=("\${lines[@]:0:\${#lines[@]}-1}") ;;
  esac
}
complete -F _silk silk
`;

const zsh = `#compdef silk
# zsh completion of silk. Load it with: source <(silk completion zsh)
_silk() {
  local line value description
  local -a lines described
  lines=("\${(@f)$(silk __complete zsh -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  case "\${lines[-1]}" in
    :files) compset -P '--*='; _files; return ;;
    :directories) compset -P '--*='; _files -/; return ;;
  esac
  for line in "\${(@)lines[1,-2]}"; do
    value="\${line%%$'\\t'*}"
    description="\${line#"$value"}"
    described+=("\${value//:/\\\\:}\${description:+:\${description#$'\\t'}}")
  done
  _describe -V silk described
}
if [[ "\${funcstack[1]}" == _silk ]]; then _silk "$@"; else compdef _silk silk; fi
`;

const fish = `# fish completion of silk. Load it with: silk completion fish | source
function __silk_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines (silk __complete fish -- $words[2..] "$current" 2>/dev/null)
    test (count $lines) -gt 0; or return
    set -l before (string match -r -- '^--[^=]*=' "$current")
    set -l partial (string replace -r -- '^--[^=]*=' '' "$current")
    switch $lines[-1]
        case :files
            printf "$before%s\\n" (__fish_complete_path "$partial")
        case :directories
            printf "$before%s\\n" (__fish_complete_directories "$partial")
        case '*'
            test (count $lines) -gt 1; and printf '%s\\n' $lines[1..-2]
    end
end
complete -c silk -f -a '(__silk_complete)'
`;

/** The scripts that make a shell ask silk. */
export const scripts: Readonly<Record<Shell, string>> = { bash, zsh, fish };
