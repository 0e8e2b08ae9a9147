import { pbkdf2Sync } from 'node:crypto';
import { encodeBase32 } from '../../src/crypto/base32.ts';

/** One mistake of each kind that a row can have in itself, and what the check says of it. */
export const MISTAKES: readonly [
  change: (row: Row, earlier: Row) => Row | string,
  says: (earlierLine: number) => string,
][] = [
  [(row) => ({ ...row, email: '' }), () => 'email is missing'],
  [(row) => ({ ...row, email: 'maria@' }), () => "“maria@” isn't an email address"],
  [(row, earlier) => ({ ...row, email: earlier.email.toUpperCase() }), (line) => `same email as line ${line}`],
  [(row) => `${lineOf(row)},more`, () => 'too many columns'],
  [(row) => `${row.email},${row.external_id}`, () => 'too few columns'],
  [(row) => ({ ...row, name: 'N'.repeat(101) }), () => 'name is longer than 100 characters'],
  [(row) => ({ ...row, language: 'xx' }), () => "language “xx” isn't available"],
  [(row) => ({ ...row, portal_access: 'perhaps' }), () => "portal_access “perhaps” isn't yes or no"],
  [(row) => ({ ...row, totp_secret: 'JBSWY3DPEHPK3PXP' }), () => 'totp_secret is shorter than 128 bits'],
  [
    (row) => ({ ...row, password_hash: '5f4dcc3b5aa765d61d8327deb882cf99' }),
    () => 'password_hash is of a kind we cannot read',
  ],
  [(row, earlier) => ({ ...row, external_id: earlier.external_id }), (line) => `same external_id as line ${line}`],
  [(row) => ({ ...row, name: 'Eve\u0000' }), () => "name has a character that can't be used"],
  [(row) => ({ ...row, phone: '5'.repeat(41) }), () => 'phone is longer than 40 characters'],
];

export const HEADER = [
  'email',
  'name',
  'customer',
  'external_id',
  'phone',
  'language',
  'portal_access',
  'totp_secret',
  'password_hash',
] as const;
export type Row = Readonly<Record<(typeof HEADER)[number], string>>;

/** The row of a made-up contact; each third brings a secret and a hash of the password `password {n}`. */
export function rowOf(n: number): Row {
  const brings = n % 3 === 0;
  return {
    email: `person${n}@customer${Math.floor(n / 2)}.test`,
    name: `Person "${n}", of many`,
    customer: `Customer ${Math.floor(n / 2)} Ltd`,
    external_id: `contact-${n}`,
    phone: `+1 555 ${String(n).padStart(6, '0')}`,
    language: n % 2 === 0 ? 'en' : '',
    portal_access: n % 10 === 0 ? 'no' : 'yes',
    totp_secret: brings ? encodeBase32(secretOf(n)) : '',
    password_hash: brings ? `pbkdf2_sha256$10$salt$${hashOf(n)}` : '',
  };
}

export function secretOf(n: number): Uint8Array {
  return Buffer.from(String(n).padStart(20, 's'));
}

function hashOf(n: number): string {
  return pbkdf2Sync(`password ${n}`, 'salt', 10, 32, 'sha256').toString('base64');
}

export function lineOf(row: Row): string {
  return HEADER.map((name) => `"${row[name].replaceAll('"', '""')}"`).join(',');
}

/** What is wrong in a made file, as the check says it. */
export interface Planted {
  readonly line: number;
  readonly text: string;
}

/** A file of so many rows, with mistakes of every kind spread evenly over it. */
export function madeFile(rows: number, mistakes: number): { bytes: Buffer; planted: readonly Planted[] } {
  const lines: string[] = [HEADER.join(',')];
  const planted: Planted[] = [];
  const every = mistakes === 0 ? Infinity : Math.floor(rows / mistakes);
  for (let n = 1; n <= rows; n++) {
    const row = rowOf(n);
    const line = n + 1;
    if (n % every !== 0 || planted.length === mistakes) {
      lines.push(lineOf(row));
      continue;
    }
    const [change, says] = MISTAKES[planted.length % MISTAKES.length]!;
    const changed = change(row, rowOf(n - 1));
    lines.push(typeof changed === 'string' ? changed : lineOf(changed));
    planted.push({ line, text: says(line - 1) });
  }
  return { bytes: Buffer.from(`${lines.join('\r\n')}\r\n`), planted };
}
