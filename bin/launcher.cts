/** What `clchat` starts: answers the quickest question itself and loads the program for the rest. */
declare const CLCHAT_VERSION: string;

const [first, ...rest] = process.argv.slice(2);
if ((first === '--version' || first === '-V') && rest.length === 0)
  process.stdout.write(`${CLCHAT_VERSION}\n`);
else {
  const program = './main.mjs';
  void (import(program) as Promise<{ main: (argv: string[]) => Promise<void> }>).then(({ main }) =>
    main(process.argv.slice(2)),
  );
}
