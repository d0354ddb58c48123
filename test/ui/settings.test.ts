/** What the file of the settings may hold; the rest of them is in profile-files.test.ts. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { DEVICE_SETTINGS, DEVICE_WORDS, isDeviceSetting, Settings } from '../../lib/ui/settings.ts';
import { temporary } from '../support/temporary.ts';

const DEFAULTS = {
  colours: true,
  bell: true,
  time: true,
  ids: false,
  receipts: true,
  typing: true,
};

describe('file of the settings', () => {
  const { newDirectory } = temporary();
  let path: string;
  beforeEach(async () => (path = join(await newDirectory(), 'settings.json')));

  it('may hold any bytes and any JSON: the settings are there and can be changed', () => {
    const name = fc.oneof(
      fc.constantFrom(...Object.keys(DEFAULTS), '__proto__', 'toString', 'constructor'),
      fc.string(),
    );
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.json().map((text) => Buffer.from(text)),
      fc
        .dictionary(name, fc.oneof(fc.boolean(), fc.jsonValue()))
        .map((value) => Buffer.from(JSON.stringify(value))),
    );
    fc.assert(
      fc.property(content, fc.boolean(), (bytes, value) => {
        writeFileSync(path, bytes);
        const settings = new Settings(path);
        const all = Object.entries(settings.all());
        assert.deepEqual(
          all.map(([key, held]) => [key, typeof held]),
          Object.keys(DEFAULTS).map((key) => [key, 'boolean']),
        );
        settings.set('bell', value);
        assert.deepEqual(new Settings(path).all(), { ...settings.all(), bell: value });
      }),
    );
  });

  it('is readable to people, and holds every setting', () => {
    const settings = new Settings(path);
    settings.set('colours', false);
    settings.set('volume', true);
    assert.equal(
      readFileSync(path, 'utf8'),
      `{
  "colours": false,
  "bell": true,
  "time": true,
  "ids": false,
  "receipts": true,
  "typing": true
}
`,
    );
  });

  it('is told to whoever follows it, as it is and as it changes', () => {
    const settings = new Settings(path);
    settings.set('ids', true);
    const told: [string, boolean][] = [];
    settings.follow((name, value) => told.push([name, value]));
    assert.deepEqual(told.splice(0), Object.entries({ ...DEFAULTS, ids: true }));
    settings.set('receipts', false);
    settings.set('volume', true);
    assert.deepEqual(told, [['receipts', false]]);
  });

  it('is not needed', () => {
    const settings = new Settings();
    settings.set('time', false);
    assert.deepEqual(settings.all(), { ...DEFAULTS, time: false });
    assert.deepEqual(settings.all('time'), { time: false });
    assert.deepEqual(new Settings().all(), DEFAULTS);
  });

  describe('of devices', () => {
    it('are kept, and read by the next program', () => {
      const settings = new Settings(path);
      assert.deepEqual(settings.devices, {});
      settings.choose('camera', '/dev/video7');
      settings.choose('speaker', 'a name with "quotes"');
      settings.set('bell', false);
      assert.deepEqual(new Settings(path).devices, {
        camera: '/dev/video7',
        speaker: 'a name with "quotes"',
      });
      assert.equal(new Settings(path).get('bell'), false);
      // They are none of those that are on or off.
      assert.deepEqual(new Settings(path).all(), { ...DEFAULTS, bell: false });
    });

    it('are those that are names, and no others', () => {
      const stored = {
        camera: 7,
        mic: true,
        speaker: 'x'.repeat(1_025),
        screen: ':0',
        window: 'none',
        bell: 'off',
      };
      writeFileSync(path, JSON.stringify(stored));
      const settings = new Settings(path);
      assert.deepEqual([settings.devices, settings.get('bell')], [{ screen: ':0' }, true]);
      assert.ok(DEVICE_SETTINGS.every(isDeviceSetting));
      for (const name of ['bell', 'microphone', 'toString', '']) assert.ok(!isDeviceSetting(name));
    });

    it('are the usual ones unless others were chosen', () => {
      const settings = new Settings(path);
      settings.choose('screen', ':1');
      assert.deepEqual(
        DEVICE_SETTINGS.map((name) => settings.device(name)),
        ['default', 'default', 'default', ':1'],
      );
      for (const name of DEVICE_SETTINGS)
        assert.deepEqual(DEVICE_WORDS[name].slice(0, 2), ['default', 'none']);
    });

    it('hold for this run where nothing can be written', () => {
      const settings = new Settings(join(path, 'below a file'));
      settings.choose('mic', 'silence');
      assert.deepEqual(settings.devices, { mic: 'silence' });
    });
  });
});
