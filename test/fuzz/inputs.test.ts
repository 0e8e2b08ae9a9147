import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { html } from 'hono/html';
import { emailKey } from '../../src/accounts/accounts.ts';
import { isSlug, slugFor } from '../../src/accounts/organizations.ts';
import { line, lines } from '../../src/admin/inputs.ts';
import { readCode } from '../../src/auth/code-input.ts';
import { judgePassword } from '../../src/auth/passwords.ts';
import { ConfigRefused, parseKeyRing, readConfig } from '../../src/config.ts';
import { open, seal, SealError } from '../../src/crypto/seal.ts';
import { matchingSteps, stepStart, timeStep, totpCode } from '../../src/crypto/totp.ts';
import { uuidv7 } from '../../src/crypto/tokens.ts';
import { clientOf } from '../../src/web/client-ip.ts';
import { field } from '../../src/web/fields.ts';
import { readForm, RequestRefused } from '../../src/web/forms.ts';
import { en } from '../../src/words/en.ts';
import { say, type Key } from '../../src/words/say.ts';

const anything = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.string());
const wellFormed = anything.map((text) => text.toWellFormed());
const oneOf = (text: string): fc.Arbitrary<string> => fc.constantFrom(...Array.from(text));

describe('a code, whatever is typed,', () => {
  test('reads the same with spaces, dashes and marks anywhere in it, and in the digits of any script', () => {
    const zeros = fc.constantFrom(0x30, 0x660, 0x6f0, 0x966, 0x9e6, 0xff10, 0x1d7ce);
    const between = fc.string({ unit: oneOf(' -–\u00a0\u200b\u200e\u2066\u2212\ufeff\t'), maxLength: 3 });
    const typed = fc.array(fc.tuple(fc.nat(9), zeros, between), { minLength: 1, maxLength: 14 });
    fc.assert(
      fc.property(typed, (digits) => {
        const plain = digits.map(([digit]) => digit).join('');
        const written = digits.map(([digit, zero, gap]) => gap + String.fromCodePoint(zero + digit)).join('');
        assert.deepEqual(readCode(written), readCode(plain));
      }),
    );
  });
});

describe('a time step', () => {
  test('begins where the one before ends, and its code is six digits that only they themselves match', () => {
    const secret = fc.uint8Array({ minLength: 16, maxLength: 40 });
    fc.assert(
      fc.property(secret, fc.nat(2 ** 42), anything, (key, now, typed) => {
        const step = timeStep(now);
        assert.ok(stepStart(step) <= now && now < stepStart(step + 1));
        const code = totpCode(key, step);
        assert.match(code, /^[0-9]{6}$/);
        const all = [-1, 0, 1].map((n) => Math.max(0, step + n));
        assert.ok(matchingSteps(key, code, step, step + 1).includes(step));
        const matching = matchingSteps(key, typed, step, step + 2);
        assert.ok(
          matching.every((one) => totpCode(key, one) === typed),
          `${typed} is no code of ${all.join()}`,
        );
        for (const other of [` ${code}`, `${code}0`, code.slice(1), code.replace(/\d/, 'x')])
          assert.deepEqual(matchingSteps(key, other, step, step + 2), []);
      }),
    );
  });
});

describe('a sealed value', () => {
  const ring = { current: 'k', keys: new Map([['k', Buffer.alloc(32, 'k')]]) };
  const place = ['table', 'column', 'row'];

  test('is refused by name when it is anything else, and never opens to something else', () => {
    const sealed = wellFormed.map((text) => seal(ring, place, text));
    const broken = fc.tuple(sealed, fc.nat(), anything).map(([text, at, put]) => {
      const cut = at % text.length;
      return text.slice(0, cut) + put + text.slice(cut + 1);
    });
    fc.assert(
      fc.property(
        fc.oneof(
          anything,
          anything.map((text) => `k.${text}`),
          broken,
        ),
        wellFormed,
        (given, text) => {
          try {
            // What base64url holds besides its letters says nothing, so it may open, but then to what was sealed there.
            assert.equal(typeof open(ring, place, given), 'string');
          } catch (fault) {
            assert.ok(fault instanceof SealError, String(fault));
          }
          assert.equal(open(ring, place, seal(ring, place, text)), text);
        },
      ),
    );
  });
});

test('ids of a moment not earlier sort behind, and are all different', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3), { maxLength: 200 }), (moves) => {
      let now = 1_795_510_800_000;
      const ids = moves.map((ms) => uuidv7((now += ms)));
      assert.deepEqual(ids.toSorted(), ids);
      assert.equal(new Set(ids).size, ids.length);
    }),
  );
});

describe('an address', () => {
  const hop = fc.oneof(fc.ipV4(), fc.ipV6(), fc.ipV4Extended(), anything);
  const list = fc.array(hop, { maxLength: 6 }).map((hops) => hops.join(', '));

  test('has one spelling, whatever the client and its proxies write', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.option(list), (peer, forwarded) => {
        const found = clientOf(peer, forwarded ?? undefined, [peer, '10.0.0.0/8', 'fd00::/8']);
        assert.deepEqual(clientOf(found.address, undefined, []), found);
      }),
    );
  });

  test('is its own, whatever it claims, where the peer is no listed proxy', () => {
    fc.assert(
      fc.property(fc.ipV4(), list, (peer, forwarded) => {
        fc.pre(!peer.startsWith('10.'));
        assert.deepEqual(clientOf(peer, forwarded, ['10.0.0.0/8', '::1']), clientOf(peer, undefined, []));
      }),
    );
  });
});

describe('a form', () => {
  test('is read whole or refused by name, whatever was sent', () => {
    const pair = fc.tuple(fc.oneof(fc.constantFrom('code', 'email'), anything), anything).map((both) => both.join('='));
    const bodies = fc.oneof(
      anything,
      fc.array(pair).map((pairs) => pairs.join('&')),
    );
    fc.assert(
      fc.property(bodies, (body) => {
        try {
          const read = readForm('application/x-www-form-urlencoded', body, ['code', 'email']);
          assert.deepEqual(Object.keys(read), ['code', 'email']);
          assert.ok(Object.values(read).every((value) => !value.includes('\0')));
          const again = new URLSearchParams(read).toString();
          assert.deepEqual(readForm('application/x-www-form-urlencoded', again, ['code', 'email']), read);
        } catch (fault) {
          assert.ok(fault instanceof RequestRefused, String(fault));
        }
      }),
    );
  });

  test('keeps a line as one line and several without control characters, and cleaning twice changes nothing', () => {
    const text = fc.string({
      unit: fc.oneof(oneOf('a \r\n\t\u0085\u2028\u00a0\ufeff\u0000\u001b'), fc.string({ unit: 'grapheme' })),
    });
    fc.assert(
      fc.property(text, (typed) => {
        assert.doesNotMatch(line(typed), /[\p{Cc}\u2028\u2029]|^\s|\s$|\s\s/u);
        assert.equal(line(line(typed)), line(typed));
        assert.doesNotMatch(lines(typed), /[^\P{Cc}\n\t]|^\s|\s$/u);
        assert.equal(lines(lines(typed)), lines(typed));
      }),
    );
  });
});

test('an e-mail address is found by every spelling of it, and its key can break out of no header, list or path', () => {
  const local = fc.string({ unit: oneOf('abcxyz019.+-_'), minLength: 1, maxLength: 20 });
  const domain = fc.string({ unit: oneOf('abcxyzüßéñ日'), minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(local, domain, anything, (name, host, typed) => {
      const key = emailKey(`${name}@${host}.test`);
      assert.ok(key);
      for (const spelled of [`${name}@${host}.test`.toUpperCase(), ` ${name}@${host}.TEST\t`, `${name}＠${host}．test`])
        if (!host.includes('ß')) assert.equal(emailKey(spelled), key);
      assert.doesNotMatch(emailKey(typed) ?? '', /[\s,;:<>"()[\]\\\p{Cc}]|@.*@/u);
    }),
  );
});

test('a slug made of a name stands in an address as it is, and a slug is its own slug', () => {
  fc.assert(
    fc.property(anything, (name) => {
      const slug = slugFor(name);
      assert.equal(encodeURIComponent(slug), slug);
      assert.ok(isSlug(slug));
      assert.equal(slugFor(slug), slug);
      if (isSlug(name)) assert.match(name, /^[a-z0-9-]{1,40}$/);
    }),
  );
});

test('a password of fewer than 12 characters as it is typed is too short, and of more than 128 too long', async () => {
  const short = fc.string({
    unit: fc.oneof(oneOf('ﷺㄱ㎯'), fc.string({ unit: 'grapheme', maxLength: 1, minLength: 1 })),
    maxLength: 11,
  });
  await fc.assert(
    fc.asyncProperty(short, async (typed) => {
      fc.pre(Array.from(typed).length < 12);
      assert.match((await judgePassword(typed, [])) ?? 'accepted', /^(empty|short)$/);
    }),
  );
  const long = fc.string({ unit: 'grapheme', minLength: 129, maxLength: 300 });
  await fc.assert(fc.asyncProperty(long, async (typed) => assert.equal(await judgePassword(typed, []), 'long')));
});

describe('the environment', () => {
  const names = ['PORT', 'HOST', 'PUBLIC_URL', 'DATA', 'DATABASE_URL', 'KEYS', 'TRUSTED_PROXIES', 'LOG_LEVEL'];
  const key = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));
  const network = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 40 })).map(([at, bits]) => `${at}/${bits}`),
    fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 140 })).map(([at, bits]) => `${at}/${bits}`),
    fc.constantFrom('*', '0', '0.0.0.0/0', '::/0', '10.1', '010.0.0.1'),
  );

  test('is read or refused by name, whatever stands in it, and no refusal shows a key', () => {
    const value = fc.oneof(
      anything,
      fc.webUrl(),
      network,
      fc.constantFrom('0', '65536', '1e3', ' 80 ', 'http://localhost', 'https://:pw@x.test'),
    );
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...names.map((name) => `SALLYPORT_${name}`)), value),
        key,
        (env, bytes) => {
          try {
            const { publicUrl, port } = readConfig(env);
            assert.equal(new URL(publicUrl).origin, publicUrl);
            assert.ok(publicUrl.startsWith('https://') || /^http:\/\/localhost(:\d+)?$/.test(publicUrl));
            assert.doesNotMatch(env['SALLYPORT_PUBLIC_URL'] ?? '', /@/);
            assert.ok(port >= 0 && port <= 65_535);
          } catch (fault) {
            assert.ok(fault instanceof ConfigRefused, String(fault));
            assert.ok(
              fault.problems.every((problem) => /^SALLYPORT_[A-Z_]+: ./.test(problem)),
              fault.message,
            );
          }
          const encoded = bytes.toString('base64url');
          const wrong = { SALLYPORT_KEYS: `k:${encoded}x,k:${encoded}`, SALLYPORT_PORT: 'x' };
          assert.throws(
            () => readConfig(wrong),
            (fault) => fault instanceof ConfigRefused && !fault.message.includes(encoded),
          );
        },
      ),
    );
  });

  test('believes no proxy list that covers everybody, nor an address that can be read in two ways', () => {
    fc.assert(
      fc.property(fc.array(network, { minLength: 1, maxLength: 3 }), (entries) => {
        const list = entries.join(',');
        const odd = entries.some((entry) => /^\*$|\/0$|^\d+$|^\d+\.\d+$|^0\d+\.[\d.]+$/.test(entry));
        const read = (): unknown => readConfig({ SALLYPORT_TRUSTED_PROXIES: list }).trustedProxies;
        if (odd) assert.throws(read, ConfigRefused, list);
      }),
    );
  });

  test('gives a key ring back in its order, in either spelling of base64', () => {
    const id = fc.string({ unit: oneOf('abcXYZ019_-'), minLength: 1, maxLength: 40 });
    const ring = fc.uniqueArray(fc.tuple(id, key, fc.constantFrom<BufferEncoding>('base64', 'base64url')), {
      minLength: 1,
      maxLength: 5,
      selector: ([name]) => name,
    });
    fc.assert(
      fc.property(ring, fc.constantFrom(',', '\n', ' , ', ',\n,'), (keys, between) => {
        const read = parseKeyRing(keys.map(([name, bytes, as]) => `${name}:${bytes.toString(as)}`).join(between));
        assert.equal(read.current, keys[0]?.[0]);
        assert.deepEqual(
          [...read.keys],
          keys.map(([name, bytes]) => [name, bytes]),
        );
      }),
    );
  });
});

describe('what people and programs are shown', () => {
  test('holds every value in its words as it is, whatever it looks like', () => {
    const keys = fc.constantFrom(...(Object.keys(en) as Key[]));
    fc.assert(
      fc.property(
        keys,
        fc.oneof(anything, fc.constantFrom('{m}', "'{n}'", '<b>', '#', '{n, plural, other {x}}')),
        (key, value) => {
          const names = [...en[key].matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
          const numbers = [...en[key].matchAll(/\{(\w+), (?:plural|number)/g)].map(
            ([, name = '']) => [name, 7] as const,
          );
          const said = say(key, {
            way: 'slow',
            ...Object.fromEntries(names.map((name) => [name, value])),
            ...Object.fromEntries(numbers),
          });
          const once = names.filter((name) => !numbers.some(([number]) => number === name));
          if (once.length > 0 && !en[key].includes('select')) assert.ok(said.includes(value), `${key}: ${said}`);
        },
      ),
    );
  });

  test('has no markup but ours, whatever stands in a text or a field', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(anything, fc.string({ unit: oneOf('<>"\'&a=/') })), async (text) => {
        const shown = String(await html`<p title="${text}">${text}</p>`);
        assert.match(shown, /^<p title="[^"<>]*">[^<>]*<\/p>$/s);
        const box = String(await field({ name: 'a', label: text, value: text, error: text, hint: text }));
        const plain = String(await field({ name: 'a', label: 'x', value: 'x', error: 'x', hint: 'x' }));
        if (text !== '') assert.equal((box.match(/[<>]/g) ?? []).length, (plain.match(/[<>]/g) ?? []).length);
      }),
    );
  });

  test('is one JSON line of the log for each event, whatever a browser calls itself', () => {
    const texts = fc.sample(wellFormed, 300);
    const log = join(import.meta.dirname, '../../src/log.ts');
    const program = `import { openLog } from ${JSON.stringify(log)};
      const log = openLog('info', () => 0);
      for (const text of ${JSON.stringify(texts)}) log.info(text, { address: text });`;
    const printed = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
      .trimEnd()
      .split('\n');
    assert.equal(printed.length, texts.length);
    for (const [n, text] of printed.entries()) {
      const { msg, address } = JSON.parse(text) as Record<string, string>;
      assert.deepEqual([msg, address], [texts[n], texts[n]]);
    }
  });
});
