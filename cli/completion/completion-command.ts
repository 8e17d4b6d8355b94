import { Argument, Command } from 'commander';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

/**
 * What a shell runs for a word: the words of the line go to `heddle __complete`, which prints one candidate a line, with a tab and a few words on it
 * where there are some.
 */
const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# heddle completion for bash: source <(heddle completion bash)
_heddle() {
  local candidates
  mapfile -t candidates < <("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1)
  COMPREPLY=()
  local word="\${COMP_WORDS[COMP_CWORD]}" each
  for each in "\${candidates[@]}"; do [[ $each == "$word"* ]] && COMPREPLY+=("$each"); done
}
complete -o default -F _heddle heddle
`,
  zsh: `#compdef heddle
# heddle completion for zsh: source <(heddle completion zsh), or save as _heddle in a folder of $fpath
_heddle() {
  local -a lines described
  local line
  lines=("\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  for line in $lines; do
    [[ -n $line ]] && described+=("\${\${line%%$'\\t'*}//:/\\\\:}\${\${line#*$'\\t'}:+:\${line#*$'\\t'}}")
  done
  if (( \${#described} )); then _describe heddle described; else _files; fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _heddle "$@"; else compdef _heddle heddle; fi
`,
  fish: `# heddle completion for fish: heddle completion fish | source
function __heddle_complete
  set -l words (commandline -opc) (commandline -ct)
  $words[1] __complete -- $words[2..] 2>/dev/null
end
complete -c heddle -f -a '(__heddle_complete)'
complete -c heddle -n 'string match -q -- "*/*" (commandline -ct)' -F
`,
};

/** `heddle completion SHELL`. */
export function completionCommand(): Command {
  return new Command('completion')
    .description('Prints a script that lets a shell complete commands, options and names in the cluster.')
    .addArgument(new Argument('<shell>', 'whose').choices(SHELLS))
    .addHelpText(
      'after',
      `
Names of namespaces, contexts, Canaries, pods, Services and TrustRotations are asked of the cluster, for a second at most.

  echo 'source <(heddle completion bash)' >> ~/.bashrc
  echo 'source <(heddle completion zsh)' >> ~/.zshrc
  heddle completion fish > ~/.config/fish/completions/heddle.fish`,
    )
    .action((shell: Shell) => {
      process.stdout.write(SCRIPTS[shell]);
    });
}

/** `heddle __complete -- WORDS`: what the scripts ask; hidden, as it is for nobody else. */
export function completeCommand(): Command {
  return new Command('__complete')
    .argument('[words...]')
    .allowUnknownOption()
    .helpOption(false)
    .action(async (words: readonly string[], _flags: object, command: Command) => {
      const { completeLine } = await import('./complete-line.ts');
      let root = command;
      while (root.parent) root = root.parent;
      const lines = await completeLine(root, words);
      process.stdout.write(lines.map((line) => `${line}\n`).join(''), () => process.exit(0));
    });
}
