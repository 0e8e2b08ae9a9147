import { createTransport } from 'nodemailer';
import type { MailConfig } from '../config.ts';

/** A letter ready to be handed in. */
export interface Parcel {
  /** The same for every attempt, so that a mailbox can tell that two of them are one letter. */
  readonly messageId: string;
  readonly fromName: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly at: number;
}

/** What became of a letter that was handed in, with what the mail server answered. */
export interface Handed {
  readonly kind:
    | 'accepted'
    /** For good: this recipient or this letter will never be taken. */
    | 'refused'
    /** Not now: another time the same letter may be taken. */
    | 'later'
    /** The connection broke over it; whether for the letter's sake or the server's, nobody said. */
    | 'broken'
    /** No letter would be: the server is out of reach, cannot be trusted, or does not let this sender in. */
    | 'unreachable';
  readonly answer: string;
}

/** A way to a mail server, open for as long as there are letters. */
export interface Post {
  /** Whether the server is there, trusted, and lets us in. */
  readonly reach: () => Promise<Handed>;
  readonly handIn: (parcel: Parcel) => Promise<Handed>;
  readonly close: () => void;
}

export interface PostOptions {
  /** How long a silent server is waited for, in milliseconds. */
  readonly patienceMs?: number;
  /** Certificates that are trusted besides those of the system; only tests hand any in. */
  readonly ca?: string;
}

/** How many letters are on their way at once. */
export const AT_ONCE = 4;

const PATIENCE_MS = 20_000;
/** No letter takes longer, however slowly the server goes on answering. */
const LONGEST_PATIENCES = 5;
export const LONGEST_MS = LONGEST_PATIENCES * PATIENCE_MS;

/**
 * Opens the way to the mail server of the settings. `smtps://` is TLS from the first byte, `smtp://` goes over to it where
 * the server offers that, and does not go on without it where there is a password to hand over. Nothing in the address
 * can loosen how its certificate is looked at.
 */
export function openPost(mail: MailConfig, { patienceMs = PATIENCE_MS, ca }: PostOptions = {}): Post {
  const transport = createTransport({
    ...serverOf(mail),
    pool: true,
    maxConnections: AT_ONCE,
    // What goes on with a letter is decided by its row, never by a queue in memory.
    maxRequeues: 0,
    connectionTimeout: patienceMs,
    greetingTimeout: patienceMs,
    socketTimeout: patienceMs,
    dnsTimeout: patienceMs,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(ca === undefined ? {} : { tls: { ca } }),
  });
  const secrets = secretsOf(mail);
  const within = <T>(work: Promise<T>): Promise<T> => hurried(work, LONGEST_PATIENCES * patienceMs);
  return {
    reach: () =>
      within(transport.verify()).then(
        () => ({ kind: 'accepted', answer: '' }),
        (fault: unknown) => ({ kind: 'unreachable', answer: answerOf(fault, secrets) }),
      ),
    handIn: ({ messageId, fromName, to, subject, text, html, at }) =>
      within(
        transport.sendMail({
          messageId,
          from: { name: fromName, address: mail.from },
          // An object is one address, whatever stands in it; a text would be read as a list of them.
          to: { name: '', address: to },
          envelope: { from: { name: '', address: mail.from }, to: { name: '', address: to } },
          subject,
          text,
          html,
          date: new Date(at),
          // Nobody's holiday message answers it (RFC 3834).
          headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
        }),
      ).then(
        ({ response }) => ({ kind: 'accepted', answer: trimmed(String(response)) }),
        (fault: unknown) => judged(fault, secrets),
      ),
    close: () => transport.close(),
  };
}

/** Where letters are handed in, without the password: what may be shown and logged. */
export function hostOf({ smtpUrl }: MailConfig): string {
  const { hostname } = new URL(smtpUrl);
  return `${hostname}:${serverOf({ smtpUrl }).port}`;
}

function serverOf({ smtpUrl }: Pick<MailConfig, 'smtpUrl'>): {
  host: string;
  port: number;
  secure: boolean;
  requireTLS?: boolean;
  auth?: { user: string; pass: string };
} {
  const { protocol, hostname, port, username, password } = new URL(smtpUrl);
  const secure = protocol === 'smtps:';
  const host = hostname.replace(/^\[|\]$/g, '');
  const server = { host, port: port === '' ? (secure ? 465 : 587) : Number(port), secure };
  if (username === '') return server;
  const auth = { user: decodeURIComponent(username), pass: decodeURIComponent(password) };
  return { ...server, requireTLS: true, auth };
}

interface Refused extends Error {
  readonly code?: string;
  readonly command?: string;
  readonly responseCode?: number;
  readonly response?: string;
}

/**
 * What a failed attempt means. A number of the 5xx kind for the recipient or the letter itself is for good (RFC 5321
 * §4.2.1); the same for the sender is for every letter, and so is whatever happens before the first one.
 */
function judged(fault: unknown, secrets: readonly string[]): Handed {
  const { code = '', command = '', responseCode = 0 } = fault as Refused;
  const answer = answerOf(fault, secrets);
  const ofLetter = command.startsWith('RCPT') || command.startsWith('DATA');
  if (responseCode >= 500 && ofLetter) return { kind: 'refused', answer };
  // An address or a letter that cannot be said in SMTP at all.
  if (command === 'API' && (code === 'EENVELOPE' || code === 'EMESSAGE')) return { kind: 'refused', answer };
  if (code === 'EAUTH' || code === 'ETLS' || code === 'EDNS' || responseCode >= 500)
    return { kind: 'unreachable', answer };
  return { kind: responseCode >= 400 && ofLetter ? 'later' : 'broken', answer };
}

// A server that does not understand a command may say it back, and the command may be the one that signs in.
function answerOf(fault: unknown, secrets: readonly string[]): string {
  const { response, message } = fault as Refused;
  return trimmed(secrets.reduce((text, secret) => text.replaceAll(secret, '…'), response ?? message));
}

/** The password in every form in which it goes over the wire (RFC 4616, AUTH LOGIN). */
function secretsOf(mail: MailConfig): string[] {
  const { auth } = serverOf(mail);
  if (!auth || auth.pass === '') return [];
  const both = [`\0${auth.user}\0${auth.pass}`, auth.pass];
  return [...both.map((text) => Buffer.from(text).toString('base64')), auth.pass];
}

/** One line that is kept and shown: servers write what they like. */
function trimmed(text: string): string {
  return text.replace(/[\p{Cc}]+/gu, ' ').slice(0, 300);
}

async function hurried<T>(work: Promise<T>, withinMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error('the mail server takes too long')), withinMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
