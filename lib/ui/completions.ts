/** Completion scripts for shells, from the tables of options and commands. */
import { COMMANDS } from './commands.ts';
import { OPTIONS, SHELLS, type Option, type Shell } from './options.ts';

const LISTED = OPTIONS.filter((option) => option.hidden !== true);
const SUBCOMMANDS: readonly (readonly [word: string, what: string])[] = [
  ['completion', 'print a completion script'],
  ['man', 'print the manual page'],
];

/** The script that makes a shell complete `clchat`. */
export function completionScript(shell: Shell): string {
  switch (shell) {
    case 'bash':
      return bash();
    case 'zsh':
      return zsh();
    case 'fish':
      return fish();
    default:
      return shell satisfies never;
  }
}

function spellings(option: Option): string[] {
  return option.short === undefined ? [`--${option.name}`] : [option.short, `--${option.name}`];
}

function commandWords(): string {
  return COMMANDS.map((command) => command.name).join(' ');
}

/** Text between single quotes, as POSIX shells and fish read it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function bash(): string {
  const words = (list: readonly string[]): string =>
    `COMPREPLY=($(compgen -W ${quoted(list.join(' '))} -- "$current"))`;
  // Names of files may contain spaces and asterisks: only line ends divide them, and nothing expands.
  const files = (flag: string): string =>
    `compopt -o filenames 2>/dev/null; while IFS= read -r name; do COMPREPLY+=("$name"); done < <(compgen ${flag} -- "$current")`;
  const actions = {
    file: files('-f'),
    directory: files('-d'),
    command: words(COMMANDS.map((command) => command.name)),
    none: ':',
  };
  const arms = Object.entries(actions).map(([what, action]) => {
    const options = LISTED.filter(
      (option) => option.value !== undefined && (option.complete ?? 'none') === what,
    );
    return `    ${options.flatMap(spellings).join('|')}) ${action}; return ;;`;
  });
  return `# bash completion for clchat. Load it with: source <(clchat completion bash)
_clchat() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="" name
  if ((COMP_CWORD > 0)); then previous="\${COMP_WORDS[COMP_CWORD - 1]}"; fi
  COMPREPLY=()
  case "$previous" in
${arms.join('\n')}
    completion) ${words(SHELLS)}; return ;;
  esac
  if [[ "$current" == -* ]]; then
    ${words(LISTED.flatMap(spellings))}
  elif ((COMP_CWORD == 1)); then
    ${words(SUBCOMMANDS.map(([word]) => word))}
  fi
}
complete -F _clchat clchat
`;
}

function zsh(): string {
  const described = (pairs: readonly (readonly [string, string])[]): string =>
    pairs
      .map(([word, what]) =>
        quoted(`${word.replaceAll(':', '\\:')}:${what.replaceAll(':', '\\:')}`),
      )
      .join(' ');
  const specification = (option: Option): string => {
    const text = option.summary.replace(/[[\]:\\]/g, '\\$&');
    const actions = {
      file: '_files',
      directory: '_files -/',
      command: '_clchat_commands',
    } as const;
    const action = option.complete === undefined ? ' ' : actions[option.complete];
    const label = (option.value ?? '').replace(/[[\]:\\]/g, '\\$&');
    const value =
      option.value === undefined
        ? ''
        : `${option.optional === true ? '::' : ':'}${label}:${action}`;
    const exclusive = spellings(option).join(' ');
    return spellings(option)
      .map((spelling) => `    ${quoted(`(${exclusive})${spelling}[${text}]${value}`)} \\`)
      .join('\n');
  };
  return `#compdef clchat
# zsh completion for clchat. Save it as _clchat in a directory of $fpath.
_clchat_commands() {
  local -a commands
  commands=(${described(COMMANDS.map((command) => [command.name, command.summary] as const))})
  _describe -t commands 'command' commands
}
_clchat_words() {
  local -a words_
  words_=(${described(SUBCOMMANDS)})
  _describe -t words 'subcommand' words_
}
_clchat() {
  _arguments \\
${LISTED.map(specification).join('\n')}
    '1: :_clchat_words' \\
    '2: :(${SHELLS.join(' ')})'
}
if [ "$funcstack[1]" = "_clchat" ]; then
  _clchat "$@"
else
  compdef _clchat clchat
fi
`;
}

function fish(): string {
  const lines = [
    '# fish completion for clchat. Save it as ~/.config/fish/completions/clchat.fish',
    'complete -c clchat -f',
  ];
  for (const [word, what] of SUBCOMMANDS)
    lines.push(`complete -c clchat -n __fish_use_subcommand -a ${word} -d ${quoted(what)}`);
  lines.push(
    `complete -c clchat -n '__fish_seen_subcommand_from completion' -a ${quoted(SHELLS.join(' '))}`,
  );
  for (const option of LISTED) {
    const parts = ['complete -c clchat', `-l ${option.name}`];
    // -o is fish's way to write options of several letters with one dash.
    if (option.short !== undefined)
      parts.push(
        option.short.length === 2 ? `-s ${option.short[1]}` : `-o ${option.short.slice(1)}`,
      );
    if (option.value !== undefined && option.optional !== true) parts.push('-r');
    if (option.complete === 'file') parts.push('-F');
    if (option.complete === 'directory') parts.push(`-a '(__fish_complete_directories)'`);
    if (option.complete === 'command') parts.push(`-a ${quoted(commandWords())}`);
    parts.push(`-d ${quoted(option.summary)}`);
    lines.push(parts.join(' '));
  }
  return `${lines.join('\n')}\n`;
}
