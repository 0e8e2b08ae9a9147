import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import PostalMime from 'postal-mime';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import type { MailConfig } from '../src/config.ts';
import { sql } from '../src/db/db.ts';
import { openPost, type PostOptions } from '../src/mail/post.ts';
import { openSender, type Sender } from '../src/mail/sender.ts';
import type { World } from './world.ts';

/** A letter as a mailbox has it. */
export interface Received {
  readonly to: string;
  readonly from: string;
  readonly fromName: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly messageId: string;
  readonly headers: readonly { readonly key: string; readonly value: string }[];
  /** As it came over the wire. */
  readonly raw: string;
}

/** How a mail server behaves. */
export type Mode =
  | 'normal'
  /** It takes a letter and says nothing more. */
  | 'silent'
  /** It takes a letter and says so after `goOn`. */
  | 'slow'
  /** It hangs up in the middle of a letter. */
  | 'dropping'
  /** It accepts a letter and hangs up before it says so. */
  | 'accepting-unsaid'
  /** Another time, perhaps: 451. */
  | 'later'
  /** There is no such mailbox: 550 at RCPT. */
  | 'no-such-mailbox'
  /** It does not like what it reads: 554 at the end of DATA. */
  | 'refusing-letters'
  /** It does not like the sender: 550 at MAIL FROM. */
  | 'refusing-sender';

export interface MailboxOptions {
  /** `starttls`: it offers to go over to TLS; `smtps`: TLS from the first byte. With a certificate of its own making. */
  readonly tls?: 'none' | 'starttls' | 'smtps';
  /** It takes letters only from whoever has this name and password. */
  readonly login?: { readonly user: string; readonly password: string };
}

/** The key of mailboxes and its certificate. */
export const PEM = readFileSync(join(import.meta.dirname, 'mailbox.pem'), 'utf8');

/** The certificate of mailboxes, for whoever is to trust it. */
export const MAILBOX_CA = PEM.slice(PEM.indexOf('-----BEGIN CERTIFICATE'));

/** A real mail server on a free port. Close it: `await using mailbox = await openMailbox()`. */
export async function openMailbox(options: MailboxOptions = {}): Promise<Mailbox> {
  const mailbox = new Mailbox(options);
  await mailbox.up();
  return mailbox;
}

export class Mailbox {
  mode: Mode = 'normal';
  /** Every letter that was accepted, in order. */
  readonly letters: Received[] = [];
  /** How often somebody has connected. */
  connections = 0;
  readonly #options: MailboxOptions;
  readonly #sockets = new Set<Socket>();
  #server: SMTPServer | undefined;
  #port = 0;
  readonly #begun = Promise.withResolvers<void>();
  readonly #goingOn = Promise.withResolvers<void>();

  constructor(options: MailboxOptions) {
    this.#options = options;
  }

  /** The settings of a server that sends by it. */
  get config(): MailConfig {
    const { tls, login } = this.#options;
    const who = login ? `${encodeURIComponent(login.user)}:${encodeURIComponent(login.password)}@` : '';
    return {
      smtpUrl: `${tls === 'smtps' ? 'smtps' : 'smtp'}://${who}localhost:${this.#port}`,
      from: 'portal@acme.test',
    };
  }

  /** Listens, on the port that it had before if it had one. */
  async up(): Promise<void> {
    const server = new SMTPServer(this.#behaviour());
    server.on('error', () => undefined);
    server.server.on('connection', (socket: Socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.listen(this.#port, 'localhost');
    await once(server.server, 'listening');
    this.#port = (server.server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Refuses every connection until `up`. */
  async down(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    // Under TLS the server ends its connections itself: pulling the socket away beneath one can take the process down.
    if ((this.#options.tls ?? 'none') === 'none') this.#hangUp();
    await new Promise<void>((done) => server.close(done));
  }

  /** Waits until a first letter is being handed in. */
  began(): Promise<void> {
    return this.#begun.promise;
  }

  /** Lets letters go on that a slow server has. */
  goOn(): void {
    this.#goingOn.resolve();
  }

  /** The letters to somebody, the oldest first. */
  to(person: { readonly email: string }): Received[] {
    return this.letters.filter(({ to }) => to === person.email);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
  }

  #behaviour(): SMTPServerOptions {
    const { tls = 'none', login } = this.#options;
    const refusals: Partial<Record<Mode, [stage: 'sender' | 'recipient' | 'letter', code: number, text: string]>> = {
      later: ['letter', 451, 'come back later'],
      'no-such-mailbox': ['recipient', 550, 'no such mailbox'],
      'refusing-letters': ['letter', 554, 'looks like spam'],
      'refusing-sender': ['sender', 550, 'not from you'],
    };
    const refusalAt = (stage: string): Error | null => {
      const [at, responseCode, text] = refusals[this.mode] ?? [];
      return at === stage ? Object.assign(new Error(text), { responseCode }) : null;
    };
    return {
      ...(tls === 'none' ? {} : { key: PEM, cert: MAILBOX_CA }),
      secure: tls === 'smtps',
      authOptional: login === undefined,
      disabledCommands: [...(login === undefined ? ['AUTH'] : []), ...(tls === 'none' ? ['STARTTLS'] : [])],
      allowInsecureAuth: true,
      disableReverseLookup: true,
      closeTimeout: 1,
      onAuth: ({ username, password }, _session, answer) =>
        username === login?.user && password === login?.password
          ? answer(null, { user: username })
          : answer(new Error('wrong password')),
      onMailFrom: (_address, _session, answer) => answer(refusalAt('sender')),
      onRcptTo: (_address, _session, answer) => answer(refusalAt('recipient')),
      onData: (stream, session, answer) => {
        if (this.mode === 'dropping') return this.#hangUp();
        this.#begun.resolve();
        void buffer(stream).then(async (raw) => {
          if (this.mode === 'silent') return;
          if (this.mode === 'slow') await this.#goingOn.promise;
          const refused = refusalAt('letter');
          if (refused) return answer(refused);
          const to = session.envelope.rcptTo[0]?.address ?? '';
          this.letters.push(await read(raw, to));
          if (this.mode === 'accepting-unsaid') return this.#hangUp();
          answer(null);
        });
      },
    };
  }

  #hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

async function read(raw: Buffer, to: string): Promise<Received> {
  const { from, subject = '', text = '', html = '', messageId = '', headers } = await PostalMime.parse(raw);
  return {
    to,
    from: from?.address ?? '',
    fromName: from?.name ?? '',
    subject,
    text,
    html,
    messageId,
    headers,
    raw: raw.toString('utf8'),
  };
}

export interface Delivering extends PostOptions {
  /** Where browsers reach the server that the links are to lead to; the world's own where nothing is said. */
  readonly publicUrl?: string;
}

/** A sender with the world's clock, as a server has one. */
export function senderOf(world: World, mailbox: Mailbox, { publicUrl, ...options }: Delivering = {}): Sender {
  return openSender(world.installation, {
    publicUrl: publicUrl ?? world.publicUrl,
    from: mailbox.config.from,
    open: () => openPost(mailbox.config, { patienceMs: 5_000, ca: MAILBOX_CA, ...options }),
  });
}

/** Sends until nothing more is due or goes out. Answers what came in by it, in order. */
export async function deliver(world: World, mailbox: Mailbox, how: Delivering = {}): Promise<Received[]> {
  const before = mailbox.letters.length;
  const sender = senderOf(world, mailbox, how);
  for (let due = await dueNow(world), was = Infinity; due > 0 && due < was; due = await dueNow(world)) {
    was = due;
    await sender.turn();
  }
  await sender.finish();
  return mailbox.letters.slice(before);
}

async function dueNow(world: World): Promise<number> {
  const due = await world.db.one<{ n: number }>(
    sql`SELECT COUNT(*) AS n FROM mails WHERE done_at IS NULL AND due_at <= ${world.clock.now}`,
  );
  return due?.n ?? 0;
}

/** The one link in a letter that opens something. */
export function linkIn({ text }: Pick<Received, 'text'>): string {
  const pages = /\/(?:new-password|welcome|confirm-email|confirm-enrolment|cancel-request|not-me)\/[^/\s]+$/;
  const [link, ...more] = (text.match(/https?:\/\/\S+/g) ?? []).filter((url) => pages.test(url));
  assert.ok(link !== undefined && more.length === 0, `one link in: ${text}`);
  return link;
}
