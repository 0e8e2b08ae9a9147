import fc from 'fast-check';
import { ROUTES } from '../../src/app.ts';

/** What goes over one connection, and what may be told of it beforehand. */
export interface Sent {
  readonly bytes: Buffer;
  /** The methods of the requests that are sent, as far as they can be told apart. */
  readonly methods: readonly string[];
  /** The client goes as soon as it has sent, so that an answer may be cut off. */
  readonly hangsUp: boolean;
}

/** Cookies of people who are signed in or half signed in, as the server gave them out. */
export interface Stolen {
  readonly real: readonly (readonly [name: string, value: string])[];
  /** The id of another organization. */
  readonly elsewhere: string;
  /** Names for the parameters of paths, and values for forms, that are somebody's. */
  readonly names: Readonly<Record<string, string>>;
  readonly emails: readonly string[];
}

/** What must never come back as it was sent: no page of ours has such an element. */
export const MARKUP = '<q7z onx=1>';

const NASTY = [
  MARKUP,
  `"'>${MARKUP}`,
  '',
  '%',
  '%00',
  '%ff%fe',
  '%c0%ae%c0%ae',
  '..',
  '%2e%2e',
  '..%2f..%2fetc%2fpasswd',
  '__proto__',
  'constructor',
  ':slug',
  '*',
  '%0d%0aSet-Cookie:%20a=b',
  "'%20OR%201=1--",
  '${7*7}',
  '𝟙𝟚𝟛',
  'é'.repeat(300),
  'x'.repeat(3_000),
];
const nasty = fc.oneof(fc.constantFrom(...NASTY), fc.string({ unit: 'binary', maxLength: 20 }), fc.string());

// The door to which everything can be carried stands there more often.
const PATHS = [
  ...ROUTES.map(({ path }) => path),
  ...Array<string>(8).fill('/portal/:slug/sign-in'),
  ...Array<string>(4).fill('/admin/sign-in'),
];

const pathOf = (stolen: Stolen): fc.Arbitrary<string> => {
  const segment = (name: string): fc.Arbitrary<string> =>
    fc.oneof(
      { weight: 3, arbitrary: fc.constant(stolen.names[name] ?? 'x') },
      { weight: 1, arbitrary: nasty.map(escaped) },
    );
  const known = fc
    .constantFrom(...PATHS)
    .chain((path) =>
      fc
        .tuple(...path.split('/').map((part) => (part.startsWith(':') ? segment(part.slice(1)) : fc.constant(part))))
        .map((parts) => parts.join('/')),
    );
  const odd = fc.constantFrom(
    '*',
    '',
    'admin',
    '//admin',
    '/admin//',
    '/admin/../portal/acme',
    '/%61dmin',
    '/ADMIN',
    '/portal/acme/home/',
    '/assets/../../package.json',
    '/assets/%2e%2e/%2e%2e/data/keys',
    '/assets/sallyport.css',
    'http://evil.test/portal/acme/sign-in',
    'https://sallyport.test/admin',
    'sallyport.test:443',
    `/${'a/'.repeat(2_000)}`,
    `/portal/acme/sign-in#${MARKUP}`,
  );
  const query = fc.oneof(
    { weight: 3, arbitrary: fc.constant('') },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constantFrom('q', 'after', 'email', 'x[]'), nasty).map(([n, v]) => `?${n}=${escaped(v)}`),
    },
    { weight: 1, arbitrary: fc.constantFrom('?', '?q=%', '?after=%00&after=1', `?q=${MARKUP.replaceAll(' ', '+')}`) },
  );
  return fc
    .tuple(fc.oneof({ weight: 8, arbitrary: known }, { weight: 1, arbitrary: odd }), query)
    .map((both) => both.join(''));
};

// Bytes that a request line cannot hold are left to the odd ones, or no request would get as far as a page.
function escaped(text: string): string {
  return text.replace(/[^!-~]/gu, (character) => encodeURIComponent(character.toWellFormed()));
}

/** The fields of each form, by the end of its path. A form that is not here has none. */
const FORMS = new Map<string, readonly string[]>(
  Object.entries({
    'sign-in': ['email', 'password'],
    verify: ['code'],
    'backup-code': ['code'],
    general: ['policy', 'mfa', 'name', 'contactDetails', 'password', 'code'],
    branding: ['name', 'accent', 'picked', 'removeLogo', 'contactDetails', 'timeZone'],
    new: ['customer', 'name', 'email', 'phone'],
    edit: ['name', 'email', 'phone'],
    'reset-mfa': ['check', 'note', 'password', 'code'],
    ['x'.repeat(43)]: ['name', 'email', 'password', 'organization', 'contactDetails', 'timeZone'],
  }),
);
const FIELDS = [...new Set([...FORMS.values()].flat())];

/** A body in parts, more or less as a form with a file is sent. */
const parts = fc
  .array(fc.tuple(fc.constantFrom('name', 'logo', 'accent', '__proto__', MARKUP), nasty), { maxLength: 4 })
  .map((all) => {
    const written = all.map(([name, value]) => {
      const file = name === 'logo' ? `; filename="${MARKUP}.png"` : '';
      return `------edge\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${value.toWellFormed()}\r\n`;
    });
    return `${written.join('')}------edge--\r\n`;
  });

const formOf = (stolen: Stolen, path: string): fc.Arbitrary<string> => {
  const value = fc.oneof(nasty, fc.constantFrom(...stolen.emails, '123456', '123456789012', 'on', 'other'));
  const known = fc.oneof(
    { weight: 6, arbitrary: fc.constant(FORMS.get(path.split('?')[0]!.split('/').at(-1) ?? '') ?? []) },
    { weight: 1, arbitrary: fc.subarray(FIELDS) },
  );
  const form = known.chain((names) =>
    fc
      .tuple(...names.map(() => value))
      .map((values) => names.map((name, n) => `${name}=${encodeURIComponent(values[n]!.toWellFormed())}`).join('&')),
  );
  return fc.oneof(
    { weight: 6, arbitrary: form },
    { weight: 1, arbitrary: parts },
    { weight: 1, arbitrary: nasty },
    { weight: 1, arbitrary: fc.json() },
    {
      weight: 1,
      arbitrary: fc.constantFrom('a='.repeat(9_000), '&'.repeat(15_000), 'code=%', 'code[]=1', 'code=1&code=2'),
    },
  );
};

const METHODS = fc.oneof(
  { weight: 6, arbitrary: fc.constant('GET') },
  { weight: 10, arbitrary: fc.constant('POST') },
  { weight: 1, arbitrary: fc.constant('HEAD') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'PUT',
      'DELETE',
      'PATCH',
      'OPTIONS',
      'TRACE',
      'CONNECT',
      'PROPFIND',
      'get',
      'G T',
      '',
      'M'.repeat(300),
    ),
  },
);

/** A cookie that is nobody's: a real one with a byte changed, cut, in another's place, under another name. */
const halfValid = (stolen: Stolen): fc.Arbitrary<string> => {
  const names = [...new Set(stolen.real.map(([name]) => name)), '__Host-sallyport-notice'];
  const real = fc.constantFrom(...stolen.real);
  return fc.oneof(
    fc.tuple(real, fc.nat(70)).map(([[name, value], at]) => `${name}=${changed(value, at)}`),
    real.map(([name, value]) => `${name}=${value.replace(/^[^.]*/, stolen.elsewhere)}`),
    fc
      .tuple(real, fc.constantFrom(...names))
      .filter(([[name], other]) => name !== other)
      .map(([[, value], other]) => `${other}=${value}`),
    real.map(([name, value]) => `${name}=${value.slice(0, -1)}`),
    real.map(([name, value]) => `${name.replace('__Host-', '')}=${value}`),
    fc.tuple(fc.constantFrom(...names), nasty).map(([name, value]) => `${name}=${escaped(value)}`),
    fc.constantFrom(...names).map((name) => `${name}=; ${name}==; ;;; ${name}`),
  );
};

function changed(value: string, at: number): string {
  const place = at % value.length;
  return value.slice(0, place) + (value[place] === 'A' ? 'B' : 'A') + value.slice(place + 1);
}

const ODD_HEADERS = [
  `User-Agent: ${MARKUP}`,
  'User-Agent: \xff\xfe\x80',
  `X-Forwarded-For: ${MARKUP}, 1.2.3.4`,
  `X-Forwarded-For: ${'1.2.3.4,'.repeat(500)}`,
  'X-Forwarded-For: fe80::1%eth0',
  'X-Forwarded-Host: evil.test',
  'X-HTTP-Method-Override: DELETE',
  'X-Original-URL: /admin',
  'Expect: 100-continue',
  'Expect: the worst',
  'Upgrade: websocket',
  'Connection: upgrade',
  'Content-Encoding: gzip',
  'Range: bytes=0-',
  'If-None-Match: *',
  'Accept-Language: \xe4',
  'Authorization: Basic YWRhOnNlY3JldA==',
  'Sec-Fetch-Site: same-origin',
  'Host: evil.test',
  `X-Long: ${'x'.repeat(20_000)}`,
  Array.from({ length: 300 }, (_, n) => `X-${n}: y`).join('\r\n'),
  'No colon here',
  'X-Folded: a\r\n b',
  'X-NUL: a\0b',
  'X-Bare: a\nb',
  'X Space: y',
  ': nameless',
];

interface Framing {
  readonly headers: readonly string[];
  readonly body: Buffer;
  readonly hangsUp?: boolean;
}

const SMUGGLED = 'POST /portal/acme/sign-out HTTP/1.1\r\nHost: sallyport.test\r\nContent-Length: 0\r\n\r\n';

/** How a body is framed: truly, or with a lie about where it ends. */
const framed = (text: string): fc.Arbitrary<Framing> => {
  const body = Buffer.from(text);
  const hex = body.length.toString(16);
  const chunk = (size: string): Buffer =>
    Buffer.concat([Buffer.from(`${size}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')]);
  const length = `Content-Length: ${body.length}`;
  const chunked = 'Transfer-Encoding: chunked';
  const truly: Framing[] = [
    { headers: [length], body },
    ...(body.length > 0 ? [{ headers: [chunked], body: chunk(hex) }] : []),
  ];
  const lies: Framing[] = [
    { headers: [], body },
    { headers: [length, chunked], body: chunk(hex) },
    { headers: [chunked, length], body: Buffer.from(`0\r\n\r\n${SMUGGLED}`) },
    { headers: [length, `Content-Length: ${body.length + 1}`], body },
    { headers: [`Content-Length: ${body.length + 50}`], body, hangsUp: true },
    { headers: [`Content-Length: ${Math.max(0, body.length - 3)}`], body },
    { headers: ['Content-Length: -1'], body },
    { headers: ['Content-Length: 1e3'], body },
    { headers: ['Content-Length: 99999999999999999999'], body },
    { headers: ['Content-Length: 20000'], body, hangsUp: true },
    { headers: [chunked], body: chunk('zz') },
    { headers: [chunked], body: chunk('ffffffffffffffffff') },
    { headers: [chunked], body: chunk(`${hex};ext="${MARKUP}"`) },
    { headers: [chunked], body: chunk(`-${hex}`) },
    { headers: [chunked], body: Buffer.concat([Buffer.from(`${hex}\n`), body]), hangsUp: true },
    { headers: ['Transfer-Encoding: chunked, identity'], body },
    { headers: ['Transfer-Encoding: xchunked'], body },
    { headers: [length], body: Buffer.concat([body, Buffer.from(SMUGGLED)]) },
    { headers: [chunked], body: Buffer.from(`4001\r\n${'x'.repeat(0x4001)}\r\n0\r\n\r\n`) },
  ];
  return fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...truly) },
    { weight: 1, arbitrary: fc.constantFrom(...lies) },
  );
};

const TYPES = fc.oneof(
  { weight: 8, arbitrary: fc.constant('application/x-www-form-urlencoded') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'application/json',
      'multipart/form-data; boundary=x',
      'multipart/form-data; boundary=----edge',
      'text/plain',
      '',
      'application/x-www-form-urlencoded; charset=utf-7',
      MARKUP,
    ),
  },
);

/** A request of nobody who has proven anything; whoever is really signed in only looks, or is made to post by another site. */
export const requests = (stolen: Stolen): fc.Arbitrary<Sent> => {
  const one = fc
    .record({
      method: METHODS,
      asked: pathOf(stolen).chain((path) =>
        fc.record({ path: fc.constant(path), form: formOf(stolen, path).chain(framed) }),
      ),
      version: fc.oneof(
        { weight: 20, arbitrary: fc.constant('HTTP/1.1') },
        { weight: 1, arbitrary: fc.constantFrom('HTTP/1.0', 'HTTP/0.9', 'HTTP/2.0', 'http/1.1', '') },
      ),
      host: fc.oneof(
        { weight: 20, arbitrary: fc.constant(['Host: sallyport.test']) },
        {
          weight: 1,
          arbitrary: fc.constantFrom(
            [],
            ['Host: '],
            ['Host: evil.test'],
            [`Host: ${MARKUP}`],
            ['Host: a', 'Host: b'],
            ['Host: [::1'],
            ['Host: a@b/c'],
          ),
        },
      ),
      site: fc.oneof(
        { weight: 8, arbitrary: fc.constant('Sec-Fetch-Site: same-origin') },
        {
          weight: 1,
          arbitrary: fc.constantFrom(
            'Sec-Fetch-Site: cross-site',
            'Origin: https://sallyport.test',
            'Origin: null',
            `Origin: ${MARKUP}`,
            'Sec-Fetch-Site: ',
          ),
        },
      ),
      address: fc.ipV4(),
      type: TYPES,
      cookies: fc.array(halfValid(stolen), { maxLength: 3 }),
      signedIn: fc.oneof(
        { weight: 3, arbitrary: fc.constant(undefined) },
        { weight: 1, arbitrary: fc.constantFrom(...stolen.real) },
      ),
      odd: fc.oneof(
        { weight: 3, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: fc.subarray(ODD_HEADERS, { maxLength: 3 }) },
      ),
    })
    .map(({ asked: { path, form }, ...r }): Sent => {
      const looks = r.method === 'GET' || r.method === 'HEAD';
      const cookies = r.signedIn ? [...r.cookies, r.signedIn.join('=')] : r.cookies;
      const headers = [
        ...r.host,
        r.signedIn && !looks ? 'Sec-Fetch-Site: cross-site' : r.site,
        `X-Forwarded-For: ${r.address}`,
        ...(cookies.length > 0 ? [`Cookie: ${cookies.join('; ')}`] : []),
        ...r.odd,
        ...(looks ? [] : [`Content-Type: ${r.type}`, ...form.headers]),
      ];
      const head = Buffer.from(`${[`${r.method} ${path} ${r.version}`, ...headers].join('\r\n')}\r\n\r\n`, 'latin1');
      const bytes = looks ? head : Buffer.concat([head, form.body]);
      return { bytes, methods: [r.method], hangsUp: !looks && form.hangsUp === true };
    });
  const pipelined = fc.array(one, { minLength: 2, maxLength: 4 }).map((all) => ({
    bytes: Buffer.concat(all.map(({ bytes }) => bytes)),
    // Where one is malformed the next answers are no longer theirs; HEAD would hide that.
    methods: all.map(({ methods }) => methods[0]!),
    hangsUp: all.some(({ hangsUp }) => hangsUp),
  }));
  const noHead = pipelined.filter(({ methods }) => !methods.includes('HEAD'));
  const garbage = fc
    .uint8Array({ maxLength: 300 })
    .map((bytes) => ({ bytes: Buffer.from(bytes), methods: [], hangsUp: true }));
  return fc.oneof({ weight: 20, arbitrary: one }, { weight: 1, arbitrary: noHead }, { weight: 1, arbitrary: garbage });
};
