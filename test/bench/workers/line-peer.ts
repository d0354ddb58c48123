/**
 * A client of a peer in a process of its own, used like clchat's machine mode: a line in is said to
 * the other, a line out was heard. Arguments: `socketio` or `irc`, host:port, own name, other's name.
 */
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { io } from 'socket.io-client';

const [kind, address = '', own = '', other = ''] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin });
const tell = (text: string): void => void process.stdout.write(`${text}\n`);

if (kind === 'socketio') {
  const socket = io(`http://${address}`, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
  });
  socket.once('connect', () => tell('ready'));
  socket.on('say', (text) => tell(String(text)));
  lines.on('line', (line) => socket.emit('say', line));
  lines.on('close', () => socket.disconnect());
} else {
  const [host, port] = address.split(':');
  const socket = connect(Number(port), host);
  socket.setNoDelay(true);
  socket.write(`NICK ${own}\r\nUSER ${own} 0 * :${own}\r\n`);
  createInterface({ input: socket }).on('line', (line) => {
    const [, command, , ...rest] = line.split(' ');
    if (line.startsWith('PING')) socket.write(`PONG ${line.slice(5)}\r\n`);
    else if (command === '001') tell('ready');
    else if (command === 'PRIVMSG') tell(rest.join(' ').slice(1));
  });
  socket.on('error', () => process.exit(1));
  lines.on('line', (line) => socket.write(`PRIVMSG ${other} :${line}\r\n`));
  lines.on('close', () => socket.end());
}
