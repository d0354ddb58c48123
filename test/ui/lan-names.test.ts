/** Servers that a person at a terminal names, on a LAN to itself. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Lab } from '../lan/lab.ts';
import type { LabProcess } from '../lan/process.ts';
import { program } from '../support/build.ts';
import { Tmux } from '../support/tmux.ts';

describe('servers by their names', function () {
  this.timeout(120_000);
  let lab: Lab;
  let directory: string;
  let file: string;
  let tmux: Tmux;
  const servers: LabProcess[] = [];

  before(async () => {
    file = await program();
    lab = await Lab.create({ hosts: 2 });
    directory = await mkdtemp(join(tmpdir(), 'clchat-names-'));
    for (const name of ['acme', 'vm']) {
      const options = ['-ls', '--name', name, '--user', 'root', '--headless', '--json'];
      const home = { HOME: directory, XDG_DATA_HOME: directory };
      const server = lab.host('h1').exec(process.execPath, [file, ...options], home);
      await server.next((line) => line['type'] === 'ready', 15_000, name);
      servers.push(server);
    }
    const home = join(directory, 'home');
    await mkdir(home);
    tmux = await Tmux.open({
      prefix: ['ip', 'netns', 'exec', lab.host('h2').namespace],
      directory: home,
      columns: 90,
      rows: 24,
      env: { HOME: home, XDG_DATA_HOME: home, LANG: 'C.UTF-8' },
    });
  });
  after(async () => {
    await tmux?.close();
    await lab.destroy();
    await rm(directory, { recursive: true, force: true });
  });
  beforeEach(() => tmux.enter('clear'));

  const start = (options: string): Promise<void> =>
    tmux.enter(`clear; '${process.execPath}' '${file}' ${options}`);

  it('are told where none has the name that was given, with the nearest', async () => {
    await start('-lc --server acmee --user joe');
    await tmux.see(/Found: acme, vm\. Did you mean "acme"\?/);
    await tmux.see(/^The address of the server \(IP:PORT\), or Enter to give up/);
    await tmux.press('Enter');
    await tmux.see(/^\$ ?$/);
  });

  it('are connected to from the shell', async () => {
    await start('');
    await tmux.see(/^>>>/);
    await tmux.enter('connect vm');
    await tmux.see(/^Connected to vm at [\d.]+:\d+\. "login NAME"/);
    await tmux.enter('quit');
    await tmux.see(/^\$ ?$/);
  });

  it('are chosen, and missed once they are gone', async () => {
    await start('-lc --user joe');
    await tmux.see(/^Which server\?/);
    await tmux.enter('vm');
    await tmux.see(/Make this account/);
    await tmux.press('Enter');
    await tmux.see(/New password/);
    await tmux.press('Enter');
    await tmux.see(/You are joe on vm/);
    await tmux.enter('/quit');
    await tmux.see(/^\$ ?$/);
    await Promise.all(servers.map((server) => server.kill('SIGTERM')));
    await start('-lc');
    await tmux.see(/^vm is not there\. Its address \(IP:PORT\), or Enter to go on without it/);
    await tmux.press('Enter');
    await tmux.see(/^Your name \[joe\]/);
    await tmux.press('Enter');
    await tmux.see(/The server vm is away/);
    await tmux.see(/You are joe on vm/);
    await tmux.press('C-c');
    await tmux.see(/^\$ ?$/);
  });
});
