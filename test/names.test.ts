import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { isStableName, skeleton } from '../lib/names.ts';
import { fold } from '../lib/text.ts';

/** Every pair of confusable characters that Unicode lists, and whether keys are to keep it apart. */
const PAIRS = readFileSync(new URL('support/confusables.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => {
    const [source = '', ...target] = line
      .replace('! ', '')
      .split(' ')
      .map((code) => String.fromCodePoint(parseInt(code, 16)));
    return { source, target: target.join(''), isApart: line.startsWith('!') };
  });

const STABLE = Array.from({ length: 0x110000 }, (_, code) => String.fromCodePoint(code)).filter(
  isStableName,
);

/** Those among the names that share a key with another, put together. */
function alike(names: Iterable<string>): string[] {
  const byKey = new Map<string, string[]>();
  for (const name of names) byKey.set(skeleton(name), [...(byKey.get(skeleton(name)) ?? []), name]);
  return [...byKey.values()].filter(({ length }) => length > 1).map((group) => group.join(' '));
}

const stable = fc.string({
  unit: fc.oneof(
    fc.nat(STABLE.length - 1).map((index) => STABLE[index] ?? ''),
    // What folding, composing and sorting act on most.
    fc.constantFrom(...'aiIıİlLjmsSßẞſΣσςάΆΐᾳᾼǅŉﬁﬀ가각åÅ'),
    fc.constantFrom(...'\u0300\u0301\u0307\u0308\u0323\u0327\u0328\u0345\u0653\u3099\u200d\u034f'),
  ),
  maxLength: 12,
});

describe('keys of names', () => {
  it('are the same for what looks alike', () => {
    for (const [name, ...others] of [
      ['admin', 'ADMIN', 'adm1n', 'admln', 'adm!n', 'adm|n', 'adrnin', 'Αdmin', 'аdmin', 'аԁmіո'],
      ['admin', 'ａｄｍｉｎ', '𝐚𝐝𝐦𝐢𝐧', '𝔞𝔡𝔪𝔦𝔫', 'ⓐⓓⓜⓘⓝ', 'ᴀᴅᴍɪɴ', '🅰🅳🅼🅸🅽', 'ad\u200dmi\ufe0fn'],
      ['paypal', 'paypaI', 'PAYPAL', 'PayPa1', 'раураl', 'ΡΑΥΡΑL'],
      ['root', 'r00t', 'rооt', 'RΟΟT', 'rσσt'],
      ['Straße', 'STRASSE', 'STRAẞE', 'strasse'],
      ['ilker', 'İlker', 'ILKER', 'ılker', 'i\u0307lker'],
      ['Şeyma', 'Șeyma', 'S\u0327eyma', 'S\u0326eyma', 'şeyma'],
      ['Zoë', 'Zoe\u0308', 'Zoe\u0308\u0308', 'ZOË', 'Ζоë'],
      ['ὀδυσσεύς', 'ὈΔΥΣΣΕΎΣ', 'ὀδυσσεύσ'],
      ['ガール', 'ｶﾞｰﾙ', 'カ\u3099一ル', '力゛ール'],
      ['한글', '한글'.normalize('NFD'), '한\u115f글'],
    ])
      for (const other of others) assert.equal(skeleton(other), skeleton(name ?? ''), other);
  });

  it('tell the signs of ASCII apart but for a few', () => {
    const printable = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index));
    const lower = printable.filter((sign) => sign === sign.toLowerCase());
    assert.deepEqual(alike(lower), ['! 1 i l |', "' `", '0 o']);
    assert.deepEqual(alike(['m', 'rn', 'n', 'nn', 'w', 'vv', 'd', 'cl']), ['m rn']);
  });

  it('tell the letters of each alphabet apart but for those that do look alike', () => {
    for (const [letters, expected] of [
      ['abcdefghijklmnopqrstuvwxyz', ['i l']],
      ['àáâãäåāăąæçćčďđèéêëēėęěğģíïīįķłļľñńņňòóôõöőøœŕřśšșţťßùúûüūůűųýÿźżžþ', []],
      ['αβγδεζηθικλμνξοπρστυφχψωάέήίόύώϊϋ', ['ο σ']],
      ['абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґўђѓјљњћќџѕ', ['в ь']],
      ['աբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆ', ['գ զ', 'ո ռ']],
      ['აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ', []],
      ['אבגדהוזחטיכךלמםנןסעפףצץקרשת', []],
      ['ابتثجحخدذرزسشصضطظعغفقكلمنهويىءآأؤإئة', ['ي ى']],
      ['पफबभमयरलवशषसहकखगघङचछजझञटठडढणतथदधनअआइईउऊऋएऐओऔ', []],
      [
        'あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろわをんがぎぐばぱ',
        [],
      ],
      [
        'アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲンガギグバパ',
        [],
      ],
    ] as const)
      assert.deepEqual(alike(letters), expected, letters);
    const syllables = STABLE.filter((syllable) => /[\uac00-\ud7a3]/.test(syllable));
    assert.equal(syllables.length, 11_172);
    assert.deepEqual(alike(syllables), []);
  });

  it('tell usual names apart, in one script and all together', () => {
    const names = [
      'Adam Alice Anna Ben Bob Carla Carlo Clara Dan Dana Dara David Ed Emma Eric Erica Eva Frank',
      'George Greta Hana Hannah Hans Ida Igor Ines Ingrid Ivan Jack Jan Jana Jane Jean Joan Joe Jon',
      'Jonas José Josef Josefa Juan Julia Kai Karen Karin Karl Kate Lara Laura Lea Leo Leon Lena',
      'Lina Lisa Luca Lukas Mara Marc Marco Maria Marie Marta Max Mia Mike Nick Nina Noah Nora Olga',
      'Oscar Paul Paula Pedro Peter Rita Rosa Sam Sara Sofia Sven Tim Timo Tom Uwe Vera Viktor Vlad',
      'Wanda Wim Xenia Yan Yara Zara Zoe Zoë Jürgen Jörg Søren Åsa Łukasz Çağla Żaneta Núria Dilan',
      'Анна Антон Артём Борис Вадим Валерий Валерия Василий Вера Виктор Виктория Галина Глеб Дарья',
      'Денис Дмитрий Ева Егор Елена Жанна Зоя Иван Игорь Илья Инна Ирина Кирилл Константин Ксения',
      'Лариса Лев Лидия Любовь Максим Марина Мария Наталья Нина Олег Ольга Павел Пётр Роман Руслан',
      'Светлана Семён Сергей София Татьяна Тимур Ульяна Фёдор Юлия Юрий Яна Ярослав Надія Олексій',
      'Αθηνά Αλέξανδρος Αναστασία Ανδρέας Άννα Βασίλης Γεωργία Γιάννης Δήμητρα Δημήτρης Ειρήνη Ελένη',
      'Ευαγγελία Ζωή Ηλίας Θανάσης Θεόδωρος Ιωάννα Κατερίνα Κώστας Λευτέρης Μαρία Μιχάλης Νίκος Ξένια',
      'Όλγα Παναγιώτης Πέτρος Ρένα Σοφία Σπύρος Στέλιος Τάσος Φωτεινή Χρήστος Χριστίνα',
      'دانة داود محمد أحمد علي حسن حسين عمر خالد فاطمة عائشة مريم زينب ليلى سلمى نور هدى سارة رانيا',
      'يوسف إبراهيم إسماعيل عبدالله طارق زياد سمير سامي رامي كريم جمال جميل جميلة نبيل نادية هالة',
      'أورי דוד יוסף משה יעקב אברהם שרה רבקה רחל לאה תמר נועה מיכל יעל עידו עידן אורי אורן חנה דנה',
      'आरव अदिति अमित अनिल अनीता अर्जुन दीपक दीपा गीता हरि ईशा जया कमल किरण लता मीरा मोहन नेहा नीरज',
      'पूजा प्रिया राहुल राज राजा रवि रीता सुनील सुनीता सीमा उमा विजय विजया विकास योगेश',
      '王伟 王芳 李娜 李强 张伟 张敏 刘洋 陈静 杨光 赵磊 黄蓉 周杰 吴刚 徐丽 孙悟空 马超 朱军 胡歌 林丹 何洁',
      '佐藤 鈴木 高橋 田中 伊藤 渡辺 山本 中村 小林 加藤 吉田 山田 大輔 翔太 陽菜 結衣 葵 蓮 桜 健太',
      'あおい さくら はるか ひなた みさき ゆい ゆうき りん アキラ エミ カナ ケン ジュン タロウ ナナ ハナ ヒロ マリ',
      '김민준 이서연 박지훈 최수빈 정예은 강하늘 조현우 윤서준 장미 임지우 한소희 오세훈 서은우 신유진 권나라 황정민',
    ].flatMap((line) => line.split(' '));
    assert.equal(new Set(names.map(fold)).size, names.length);
    assert.deepEqual(alike(names), []);
  });

  it('join every pair that Unicode lists, but for a few that would join letters of one script', () => {
    assert.equal(PAIRS.length, 6311);
    for (const { source, target, isApart } of PAIRS)
      if (isApart) assert.notEqual(skeleton(source), skeleton(target), source);
      else assert.equal(skeleton(source), skeleton(target), source);
    const apart = PAIRS.filter(({ isApart }) => isApart);
    assert.ok(apart.length < 100);
    // Those that could be used to pass for a letter of ASCII, outside of the rarest scripts.
    assert.equal(
      apart
        .filter(({ source, target }) => /^[a-z]$/i.test(target) && isUsual(source))
        .map(({ source, target }) => source + target)
        .join(' '),
      'Ƅb ſf ןl ƽs υu νv γy',
    );
  });

  it('are one for ten thousand variants of a name by case and letters that look alike', () => {
    const name = 'Paypal_Admin-0x';
    const looks = [...name].map((letter) =>
      fc.constantFrom(
        letter,
        letter.toUpperCase(),
        letter.toLowerCase(),
        ...PAIRS.filter(({ target, isApart }) => !isApart && fold(target) === fold(letter)).map(
          ({ source }) => source,
        ),
      ),
    );
    const variants = fc.tuple(...looks, fc.constantFrom('', '\u200d', '\ufe0f', '\u3164'));
    const sample = fc.sample(variants, { numRuns: 10_500, seed: 1 }).map((parts) => parts.join(''));
    const distinct = new Set(sample.map(fold));
    assert.ok(distinct.size > 10_000, `${distinct.size}`);
    for (const variant of sample) assert.equal(skeleton(variant), skeleton(name), variant);
  });

  it('are the same whatever the case and the form, and are their own keys', () => {
    const check = (name: string): void => {
      const key = skeleton(name);
      const composed = name.normalize('NFC');
      assert.equal(skeleton(fold(name)), key, name);
      // An iota below a letter is a letter in capitals, to which other marks then belong.
      if (!name.normalize('NFD').includes('\u0345'))
        for (const form of [composed.toLowerCase(), composed.toUpperCase()])
          if (isStableName(form)) assert.equal(skeleton(form), key, `${name} ${form}`);
      assert.equal(skeleton(name.normalize('NFD')), key, name);
      assert.equal(skeleton(composed), key, name);
      assert.equal(skeleton(key), key, name);
      assert.doesNotMatch(key, /[\s/#@:\p{Cc}]/u, name);
      assert.ok([...key].length <= 15 * [...name].length, name);
    };
    for (const character of STABLE) check(character);
    fc.assert(fc.property(stable, check), { numRuns: 3000 });
  });

  it('do not change where a character that is not seen is put in', () => {
    fc.assert(
      fc.property(
        stable,
        fc.nat(),
        fc.constantFrom(...'\u200b\u2060\ufe0e\u3164\u2800\u{e0100}'),
        (name, at, unseen) => {
          const characters = [...name.normalize('NFC')];
          const place = at % (characters.length + 1);
          const begin = characters.slice(0, place).join('');
          const end = characters.slice(place).join('');
          // Beside a mark it also keeps what it parts from being composed.
          fc.pre((begin + end).normalize('NFD') === begin.normalize('NFD') + end.normalize('NFD'));
          assert.equal(skeleton(begin + unseen + end), skeleton(name));
        },
      ),
    );
  });

  it('are empty for names of which nothing is seen', () => {
    for (const name of ['', '\u3164', '\u2800', '\u115f\u1160', '\ufe0f', '\u{e0101}'])
      assert.equal(skeleton(name), '');
  });

  it('can be made of any string', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (name) => {
        const key = skeleton(name);
        if (isStableName(name)) assert.equal(skeleton(fold(name)), key);
      }),
    );
    assert.equal(skeleton('\ud800a'), '\ud800a');
  });

  it('never change', () => {
    // Logs are judged by them: another hash is another protocol.
    const hash = createHash('sha256');
    for (const character of STABLE) hash.update(`${character} ${skeleton(character)}\n`);
    assert.equal(
      hash.digest('hex'),
      '16c030448047e4e41fb658f95e8702e0cc30f72b2bcea5630e027265b1515436',
    );
  });
});

describe('names of characters that are known for good', () => {
  it('are those of Unicode 15.0', () => {
    assert.equal(STABLE.length, 149_251);
    for (const name of ['alice', 'Ünal', '名前', '🙂', '\u{1f6dc}', '\u{31350}', 'a\u0301'])
      assert.ok(isStableName(name), name);
  });

  it('are not those of characters assigned later, or never, or in private use', () => {
    // 15.1, 16.0, 17.0, reserved, private use, half a pair, no character.
    for (const character of '\u{2ebf0} \u{1c89} \u{a7ce} \u0378 \ue000 \ud800 \uffff'.split(' ')) {
      assert.ok(!isStableName(character), character);
      assert.ok(!isStableName(`a${character}b`), character);
    }
  });

  it('are names of characters that the runtime knows', () => {
    for (const character of STABLE) assert.doesNotMatch(character, /[\p{Cn}\p{Co}\p{Cs}]/u);
  });
});

/** Whether a character is of a script that many people type. */
function isUsual(character: string): boolean {
  return /^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Armenian}\p{Script=Hebrew}\p{Script=Arabic}]/u.test(
    character,
  );
}
