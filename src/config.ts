import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import ipaddr from 'ipaddr.js';
import type { Level } from 'pino';
import type { HashCost } from './crypto/passwords.ts';
import type { KeyRing } from './crypto/seal.ts';
import { LOG_LEVELS } from './log.ts';

/** What the server was told at start. Read once, frozen, never looked up again. */
export interface Config {
  readonly port: number;
  readonly host: string;
  /** Where browsers reach it, without a slash at the end. */
  readonly publicUrl: string;
  readonly data: string;
  readonly databaseUrl: string | undefined;
  readonly ring: KeyRing | undefined;
  readonly trustedProxies: readonly string[];
  readonly logLevel: Level;
  /** Where mail is handed in, and from whom it comes; undefined: no mail is sent. */
  readonly mail: MailConfig | undefined;
  /** Only tests and benchmarks make hashes cheaper, by passing another Config; no variable of the environment can. */
  readonly hashCosts?: { readonly password: HashCost; readonly backupCode: HashCost };
}

/** A mail server and the address that letters come from. */
export interface MailConfig {
  readonly smtpUrl: string;
  readonly from: string;
}

/** Everything that is wrong with the environment, one sentence each, by the variable's name. */
export class ConfigRefused extends Error {
  override readonly name = 'ConfigRefused';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** Reads the environment; throws ConfigRefused with all that is wrong at once. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const problems: string[] = [];
  const text = (name: string, otherwise: string): string => env[name]?.trim() || otherwise;
  const attempt = <T>(name: string, otherwise: T, read: () => T): T => {
    try {
      return read();
    } catch (fault) {
      problems.push(`${name}: ${(fault as Error).message}`);
      return otherwise;
    }
  };
  const port = attempt('SALLYPORT_PORT', 3000, () => readPort(text('SALLYPORT_PORT', '3000')));
  const ring = attempt(env['SALLYPORT_KEYS_FILE']?.trim() ? 'SALLYPORT_KEYS_FILE' : 'SALLYPORT_KEYS', undefined, () =>
    readKeys(env),
  );
  const config: Config = {
    port,
    host: text('SALLYPORT_HOST', '127.0.0.1'),
    publicUrl: attempt('SALLYPORT_PUBLIC_URL', '', () =>
      readPublicUrl(text('SALLYPORT_PUBLIC_URL', `http://localhost:${port}`)),
    ),
    data: resolve(text('SALLYPORT_DATA', './data')),
    databaseUrl: attempt('SALLYPORT_DATABASE_URL', undefined, () =>
      readDatabaseUrl(env['SALLYPORT_DATABASE_URL']?.trim()),
    ),
    ring,
    trustedProxies: attempt('SALLYPORT_TRUSTED_PROXIES', [], () => readProxies(text('SALLYPORT_TRUSTED_PROXIES', ''))),
    logLevel: attempt('SALLYPORT_LOG_LEVEL', 'info', () => readLevel(text('SALLYPORT_LOG_LEVEL', 'info'))),
    mail: readMail(text('SALLYPORT_SMTP_URL', ''), text('SALLYPORT_MAIL_FROM', ''), attempt),
  };
  if (config.databaseUrl !== undefined && ring === undefined && !problems.some((p) => p.startsWith('SALLYPORT_KEYS'))) {
    problems.push(
      'SALLYPORT_KEYS: is needed with PostgreSQL, where no key is ever generated. Make one: openssl rand -base64 32',
    );
  }
  if (problems.length > 0) throw new ConfigRefused(problems);
  return Object.freeze(config);
}

const KNOWN_VARIABLES = [
  'SALLYPORT_PORT',
  'SALLYPORT_HOST',
  'SALLYPORT_PUBLIC_URL',
  'SALLYPORT_DATA',
  'SALLYPORT_DATABASE_URL',
  'SALLYPORT_KEYS',
  'SALLYPORT_KEYS_FILE',
  'SALLYPORT_TRUSTED_PROXIES',
  'SALLYPORT_LOG_LEVEL',
  'SALLYPORT_SMTP_URL',
  'SALLYPORT_MAIL_FROM',
];

/** Variables of the environment that are meant for Sallyport and that nothing reads: misspelt, or of another version. */
export function unknownVariables(env: NodeJS.ProcessEnv = process.env): string[] {
  return Object.keys(env).filter((name) => name.startsWith('SALLYPORT_') && !KNOWN_VARIABLES.includes(name));
}

/** Reads a key ring, `id:base64url,…`; throws an Error that names what is wrong and never shows a key. */
export function parseKeyRing(text: string): KeyRing {
  const keys = new Map<string, Uint8Array>();
  for (const entry of text
    .split(/[,\n]/)
    .map((part) => part.trim())
    .filter((part) => part !== '')) {
    const [, id, encoded] = /^([A-Za-z0-9_-]{1,40}):(.+)$/.exec(entry) ?? [];
    if (id === undefined || encoded === undefined)
      throw new Error('each key is written id:key, id of letters, digits, - and _');
    const key = Buffer.from(encoded, 'base64');
    if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(encoded)) throw new Error(`key "${id}" is not base64`);
    if (key.length !== 32) throw new Error(`key "${id}" has ${key.length} bytes and needs 32, as base64`);
    if (keys.has(id)) throw new Error(`key "${id}" stands there twice`);
    keys.set(id, key);
  }
  const [current] = keys.keys();
  if (current === undefined) throw new Error('holds no key');
  return { current, keys };
}

function readKeys(env: NodeJS.ProcessEnv): KeyRing | undefined {
  const file = env['SALLYPORT_KEYS_FILE']?.trim();
  const inline = env['SALLYPORT_KEYS']?.trim();
  if (file && inline) throw new Error('set either this or SALLYPORT_KEYS, not both');
  if (file) return parseKeyRing(readFileSync(file, 'utf8'));
  return inline ? parseKeyRing(inline) : undefined;
}

function readPort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new Error('is a number from 0 to 65535');
  return port;
}

function readPublicUrl(text: string): string {
  const url = URL.parse(text);
  if (!url || !['http:', 'https:'].includes(url.protocol))
    throw new Error('is an address like https://portal.example.com');
  if (url.pathname !== '/' || url.search || url.hash || url.username || url.password)
    throw new Error('has nothing after the host and port');
  if (url.protocol === 'http:' && url.hostname !== 'localhost')
    throw new Error('needs https (only http://localhost goes without)');
  return url.origin;
}

function readDatabaseUrl(text: string | undefined): string | undefined {
  if (!text) return undefined;
  const url = URL.parse(text);
  if (!url || !['postgres:', 'postgresql:'].includes(url.protocol))
    throw new Error('is an address like postgres://user@host/database');
  return text;
}

function readProxies(text: string): readonly string[] {
  const entries = text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  for (const entry of entries) {
    if (!isAddressOrNetwork(entry)) throw new Error(`"${entry}" is no address or network; name each proxy`);
    if (/\/0+$/.test(entry)) throw new Error(`"${entry}" is everybody; name each proxy`);
  }
  return entries;
}

type Attempt = <T>(name: string, otherwise: T, read: () => T) => T;

function readMail(smtpUrl: string, from: string, attempt: Attempt): MailConfig | undefined {
  if (smtpUrl === '' && from === '') return undefined;
  return attempt(smtpUrl === '' ? 'SALLYPORT_SMTP_URL' : 'SALLYPORT_MAIL_FROM', undefined, () => {
    if (smtpUrl === '') throw new Error('is needed with SALLYPORT_MAIL_FROM, or no mail is sent');
    if (from === '') throw new Error('is needed with SALLYPORT_SMTP_URL: the address that letters come from');
    if (!/^[^\s@<>,;:"]+@[^\s@<>,;:"]+$/.test(from)) throw new Error('is an address like portal@example.com');
    return { smtpUrl: attempt('SALLYPORT_SMTP_URL', '', () => readSmtpUrl(smtpUrl)), from };
  });
}

function readSmtpUrl(text: string): string {
  const url = URL.parse(text);
  if (!url || !['smtp:', 'smtps:'].includes(url.protocol) || url.hostname === '')
    throw new Error('is an address like smtps://user:password@mail.example.com, or smtp://… with port 587');
  return text;
}

// 10.1 and 010.0.0.1 are addresses too, but of which machine depends on who reads them.
function isAddressOrNetwork(entry: string): boolean {
  const { IPv4, IPv6 } = ipaddr;
  return [
    IPv4.isValidFourPartDecimal(entry),
    IPv4.isValidCIDRFourPartDecimal(entry),
    IPv6.isValid(entry),
    IPv6.isValidCIDR(entry),
  ].includes(true);
}

function readLevel(text: string): Level {
  const level = LOG_LEVELS.find((known) => known === text);
  if (level === undefined) throw new Error(`is one of ${LOG_LEVELS.join(', ')}`);
  return level;
}
