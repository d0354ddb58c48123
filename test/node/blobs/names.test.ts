import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { basename, join, win32 } from 'node:path';
import fc from 'fast-check';
import { numberedName, safeName } from '../../../lib/node/blobs/names.ts';
import { byteLength, clean } from '../../../lib/text.ts';
import { temporary } from '../../support/temporary.ts';

describe('names of files', () => {
  const { newDirectory } = temporary();

  it('stay as they are where they are safe', () => {
    for (const name of [
      'photo.jpg',
      'a',
      'archive.tar.gz',
      'Straße und Überhöhung.pdf',
      'отчёт за май.docx',
      '写真 2.png',
      '👩.gif',
      'no extension',
      'a (1).txt',
      "it's #1 & 100%!.txt",
      'console.log',
      'com10.txt',
    ])
      assert.equal(safeName(name), name);
  });

  it('are made safe where they are not', () => {
    for (const [hostile, safe] of [
      ['', 'file'],
      ['.', 'file'],
      ['..', 'file'],
      ['...', 'file'],
      ['/', 'file'],
      ['../../', 'file'],
      [' . ', 'file'],
      ['\u202e', 'file'],
      ['../../etc/passwd', 'passwd'],
      ['/etc/passwd', 'passwd'],
      ['..\\..\\windows\\system32\\evil.dll', 'evil.dll'],
      ['C:\\autoexec.bat', 'autoexec.bat'],
      ['C:autoexec.bat', 'C_autoexec.bat'],
      ['dir/..', 'dir'],
      ['\\\\server\\share', 'share'],
      ['good.txt:hidden', 'good.txt_hidden'],
      ['.bashrc', 'bashrc'],
      ['..bashrc', 'bashrc'],
      ['. .ssh', 'ssh'],
      ['-rf', '_rf'],
      ['~root', '_root'],
      ['a\0b.txt', 'ab.txt'],
      ['a\nb\tc.txt', 'a b c.txt'],
      ['\u001b[2Jscreen.txt', 'screen.txt'],
      ['\u001b]0;title\u0007name.txt', 'name.txt'],
      ['photo\u202egpj.exe', 'photogpj.exe'],
      ['a\u200bb\u2060c\ufeff\u00ad.txt', 'abc.txt'],
      ['\u200b..\u200b/x', 'x'],
      ['\u200b.bashrc', 'bashrc'],
      ['photo.jpg                         .exe', 'photo.jpg .exe'],
      ['a\u2028b\u2029.txt', 'ab.txt'],
      ['trailing. . .', 'trailing'],
      ['trailing   ', 'trailing'],
      ['a*b?c"d<e>f|g.txt', 'a_b_c_d_e_f_g.txt'],
      ['..\u2215..\u2044etc\uff0fpasswd', '_.._etc_passwd'],
      ['CON', '_CON'],
      ['con.txt', '_con.txt'],
      ['Aux .c', '_Aux .c'],
      ['nul.tar.gz', '_nul.tar.gz'],
      ['LPT9', '_LPT9'],
      ['com¹.log', '_com¹.log'],
      ['CONIN$', '_CONIN$'],
      ['prn.', '_prn'],
      ['\ud800lone.txt', '\ufffdlone.txt'],
      ['e\u0301.txt', '\u00e9.txt'],
    ] as const)
      assert.equal(safeName(hostile), safe, JSON.stringify(hostile));
  });

  it('are not longer than any file system takes, and keep their extension', () => {
    for (const [long, end] of [
      [`${'x'.repeat(5_000)}.jpg`, 'x.jpg'],
      ['x'.repeat(5_000), 'xx'],
      [`${'ü'.repeat(150)}.jpg`, 'ü.jpg'],
      [`${'👩'.repeat(80)}.jpg`, '👩.jpg'],
      [`a.${'x'.repeat(5_000)}`, 'xx'],
      [`${'x'.repeat(198)}. .jpg`, 'x.jpg'],
    ] as const) {
      const name = safeName(long);
      assert.ok(byteLength(name) <= 200 && byteLength(name) > 180, name);
      assert.ok(name.endsWith(end), name);
      assert.ok(name.isWellFormed() && !name.includes('\ufffd'));
    }
  });

  it('are names in a directory, whatever they were made of', () => {
    const pieces = fc.constantFrom(
      ...['/', '\\', '.', '..', ' ', ':', '-', '~', '\0', '\n', '\u202e', '\u200b', '\ud800'],
      ...[
        'con',
        'nul',
        '.txt',
        'ü',
        '👩',
        'a',
        'x'.repeat(90),
        '\u0301',
        '%2e',
        '\u2215',
        '\uff0e',
      ],
    );
    const hostile = fc.oneof(
      fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
      fc.string({ unit: 'binary', maxLength: 300 }),
    );
    fc.assert(
      fc.property(hostile, (text) => {
        const name = safeName(text);
        assert.equal(safeName(name), name);
        assert.equal(basename(name), name);
        assert.equal(win32.basename(name), name);
        assert.equal(clean(name), name);
        assert.ok(byteLength(name) >= 1 && byteLength(name) <= 200);
        assert.doesNotMatch(name, /^[.\s~-]|[.\s]$|[\p{Cc}\p{Cf}/\\:]/u);
        assert.ok(byteLength(numberedName(name, 9_999)) <= 255);
      }),
      { numRuns: 3_000 },
    );
  });

  it('can be had by real files, which stay where they are', async () => {
    const directory = await newDirectory();
    const names = [
      '../up',
      '/etc/x',
      '.',
      '..',
      'x'.repeat(999),
      'ü'.repeat(999),
      'nul',
      'a\0b',
      '-f',
    ];
    for (const name of names) await writeFile(join(directory, safeName(name)), '');
    assert.ok((await readdir(directory)).length >= names.length - 2);
  });

  it('get a number before their extension where they are taken', () => {
    assert.equal(numberedName('photo.jpg', 0), 'photo.jpg');
    assert.equal(numberedName('photo.jpg', 1), 'photo (1).jpg');
    assert.equal(numberedName('photo', 12), 'photo (12)');
    assert.equal(numberedName('a.b.txt', 2), 'a.b (2).txt');
  });
});
