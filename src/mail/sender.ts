import { findAccount } from '../accounts/accounts.ts';
import type { Installation } from '../accounts/installation.ts';
import { openLease } from '../accounts/leases.ts';
import { findOrganization } from '../accounts/organizations.ts';
import { openContents, type Contents } from '../accounts/outbox.ts';
import { SealError } from '../crypto/seal.ts';
import { htmlOf, textOf } from './layout.ts';
import { draftOf, oneLine, type Told } from './letters.ts';
import { claim, finish, heldBackBy, holdBack, nextDue, postpone, release, type Outgoing } from './outgoing.ts';
import { LONGEST_MS, type Handed, type Parcel, type Post } from './post.ts';

/** What turns rows of the outbox into letters. */
export interface Sender {
  /** Sends what is due; to be called again and again, not before the last call has ended. Answers how many went out. */
  readonly turn: () => Promise<number>;
  /** Ends a turn after the letters that are on their way. */
  readonly finish: () => Promise<void>;
}

export interface SenderOptions {
  /** Where browsers reach the server: every link begins with it. */
  readonly publicUrl: string;
  /** The address that letters come from. */
  readonly from: string;
  readonly open: () => Post;
}

/** How long a mail server that is out of reach is left alone, the first times and then. */
const OUTAGE_PAUSES_MS = [30_000, 60_000];
const LONGEST_PAUSE_MS = 300_000;

/**
 * Sends what waits in the outbox, at least once each. One server at a time does it, by a lease; that two of them never
 * hand in the same letter, the claim on its row decides. A letter is claimed in one transaction, handed in outside of any,
 * and done with in another: nothing but a crash between the server's "accepted" and that commit sends it twice, and then
 * under the same Message-ID. An outage of the mail server is no letter's fault: it counts against none of them.
 */
export function openSender(installation: Installation, options: SenderOptions): Sender {
  const { now } = installation;
  const lease = openLease(installation, 'mail', LONGEST_MS);
  let leaving = false;
  let working: Promise<unknown> = Promise.resolve();
  const outage = outages(installation);

  const sendAll = async (due: readonly Outgoing[], post: Post): Promise<number> => {
    let sent = 0;
    let letters = due;
    while (letters.length > 0) {
      const handed = await allOf(letters.map((letter) => send(installation, options, post, letter)));
      sent += handed.filter((one) => one?.kind === 'accepted').length;
      const unreachable = handed.find((one) => one?.kind === 'unreachable');
      if (unreachable) outage.begins(unreachable.answer);
      // After a broken connection the next turn asks first whether the server is still there.
      const shaken = unreachable !== undefined || handed.some((one) => one?.kind === 'broken');
      if (leaving || shaken || !(await lease.take())) return sent;
      letters = await nextDue(installation.db, now());
    }
    return sent;
  };

  const work = async (): Promise<number> => {
    if (leaving || outage.holds() || !(await lease.take())) return 0;
    const due = await nextDue(installation.db, now());
    const [first] = due;
    if (!first) return 0;
    const post = options.open();
    try {
      const reached = await post.reach();
      if (reached.kind !== 'accepted') {
        outage.begins(reached.answer);
        await release(installation, first, reached.answer, now());
        return 0;
      }
      outage.isOver();
      if (leaving) return 0;
      return await sendAll(due, post);
    } finally {
      post.close();
    }
  };

  return {
    turn: () => {
      const turning = work();
      working = turning.catch(() => undefined);
      return turning;
    },
    finish: async () => {
      leaving = true;
      await working;
      await lease.giveUp();
    },
  };
}

/** Whether the mail server is left alone for a while. An outage is logged when it begins and when it is over. */
function outages({ log, now }: Installation): {
  holds: () => boolean;
  begins: (answer: string) => void;
  isOver: () => void;
} {
  let count = 0;
  let quietUntil = 0;
  return {
    holds: () => now() < quietUntil,
    begins: (answer) => {
      if (count === 0) log.error('the mail server takes no letters: they wait', { answer });
      quietUntil = now() + (OUTAGE_PAUSES_MS[count] ?? LONGEST_PAUSE_MS);
      count++;
    },
    isOver: () => {
      if (count > 0) log.info('the mail server takes letters again');
      count = 0;
    },
  };
}

// All of them, whatever becomes of one: the way to the server is closed after this, and not under a letter.
async function allOf<T>(works: readonly Promise<T>[]): Promise<T[]> {
  const ended = await Promise.allSettled(works);
  return ended.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}

/** Hands one letter in and keeps what became of it; undefined where it was not this process's to send. */
async function send(
  installation: Installation,
  options: SenderOptions,
  post: Post,
  letter: Outgoing,
): Promise<Handed | undefined> {
  const { now } = installation;
  if (!(await claim(installation, letter, now()))) return undefined;
  const contents = contentsOf(installation, letter);
  if (contents && (await holdBack(installation, letter, contents.to, now()))) return undefined;
  const told = contents && (await toldOf(installation, options, letter, contents));
  const handed: Handed = told
    ? await handIn(installation, options, post, letter, told)
    : { kind: 'refused', answer: 'what it says cannot be opened, or its account is gone' };
  await settle(installation, letter, handed);
  return handed;
}

// A letter that cannot be put into words waits for a version that can, and holds up nobody but its own address.
async function handIn(
  { log, now }: Installation,
  { from }: SenderOptions,
  post: Post,
  letter: Outgoing,
  told: Told,
): Promise<Handed> {
  let parcel: Parcel;
  try {
    parcel = await parcelOf(letter, told, from, now());
  } catch (fault) {
    log.error('a letter cannot be written', { kind: letter.kind, id: letter.id, fault: String(fault) });
    return { kind: 'later', answer: 'this version cannot write it' };
  }
  return post.handIn(parcel);
}

async function settle(installation: Installation, letter: Outgoing, handed: Handed): Promise<void> {
  const { answer } = handed;
  const at = installation.now();
  switch (handed.kind) {
    case 'accepted':
      return finish(installation, letter, 'sent', answer, at);
    case 'unreachable':
      return release(installation, letter, answer, at);
    case 'later':
    case 'broken':
      if (await postpone(installation, letter, answer, at)) return;
      break;
    case 'refused':
  }
  await finish(installation, letter, 'given-up', answer, at);
  const { organizationId, accountId, kind, id } = letter;
  installation.log.warn('a letter was given up', {
    organization: organizationId,
    account: accountId,
    kind,
    id,
    answer,
  });
}

function contentsOf(installation: Installation, letter: Outgoing): Contents | undefined {
  try {
    return openContents(installation, letter);
  } catch (fault) {
    if (fault instanceof SealError) return undefined;
    throw fault;
  }
}

async function toldOf(
  { db }: Installation,
  { publicUrl }: SenderOptions,
  letter: Outgoing,
  contents: Contents,
): Promise<Told | undefined> {
  const { organizationId, accountId, kind } = letter;
  const organization = await findOrganization(db, organizationId);
  const account = await findAccount(db, organizationId, accountId);
  // Deleted since: then its letters are gone too, and nothing is left to be told.
  if (!organization || !account) return undefined;
  const { staffId } = contents.facts;
  const staff = typeof staffId === 'string' ? await findAccount(db, organizationId, staffId) : undefined;
  const heldBack = kind === 'digest' ? await heldBackBy(db, letter) : [];
  return { ...contents, kind, publicUrl, organization, account, staffName: staff?.name, heldBack };
}

async function parcelOf({ id }: Outgoing, told: Told, from: string, at: number): Promise<Parcel> {
  const draft = draftOf(told);
  return {
    messageId: `<${id}@${from.slice(from.lastIndexOf('@') + 1)}>`,
    fromName: oneLine(told.organization.name),
    to: told.to,
    subject: oneLine(draft.subject),
    text: textOf(draft),
    html: await htmlOf(draft),
    at,
  };
}
