import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { serverClock } from '../../src/cli/doctor-database.ts';
import { room } from '../../src/cli/doctor-disk.ts';
import { examineMail } from '../../src/cli/doctor-mail.ts';
import { address } from '../../src/cli/doctor-settings.ts';
import { readConfig } from '../../src/config.ts';
import { testDatabase } from '../database.ts';
import { MAILBOX_CA, openMailbox } from '../mailbox.ts';

const GIB = 2 ** 30;

describe('the doctor', () => {
  test('asks for room when less than 1 GiB is free, or 5 % of a disk on which that is little', () => {
    const sizes = { database: 3.5 * 2 ** 20, wal: 0 };
    const found = (free: number, total: number): boolean => room({ free, total }, sizes).mend === undefined;
    assert.deepEqual([found(GIB, 10 * GIB), found(GIB - 1, 10 * GIB)], [true, false]);
    assert.deepEqual([found(5 * GIB, 100 * GIB), found(5 * GIB - 1, 100 * GIB)], [true, false]);
    assert.deepEqual([found(20 * GIB, 4_000 * GIB), found(19 * GIB, 4_000 * GIB)], [true, false]);
    const told = '512 MiB of 100 GiB free; the database has 3.5 MiB, its log 0 B';
    assert.equal(room({ free: GIB / 2, total: 100 * GIB }, sizes).found, told);
  });

  test('says by how much the clock of PostgreSQL differs from its own', async () => {
    const database = await testDatabase('postgres');
    const db = database.open();
    assert.equal((await serverClock(db, at(0)))?.mend, undefined);
    assert.match((await serverClock(db, at(600_000)))?.found ?? '', /^(599|600) s behind this machine’s$/);
    const ahead = await serverClock(db, at(-600_000));
    assert.match(ahead?.found ?? '', /^60\d s ahead of this machine’s$/);
    assert.match(ahead?.mend ?? '', /set-ntp/);
    await database.remove();
  });

  test('takes no network for a proxy from which anybody can come', () => {
    for (const narrow of [
      '127.0.0.1',
      '10.0.0.0/8',
      '172.16.0.0/12',
      '104.16.0.0/13',
      '::1',
      'fc00::/7',
      '2400:cb00::/32',
    ])
      assert.ok(trusting(narrow), narrow);
    for (const wide of ['0.0.0.0/1', '8.0.0.0/8', '10.0.0.0/7', '2000::/3', '127.0.0.1,64.0.0.0/4'])
      assert.ok(!trusting(wide), wide);
  });

  test('says that mail is off and how to turn it on, that it works, or why it does not, and never the password', async () => {
    assert.match((await examineMail({ mail: undefined })).found, /^off, .*SALLYPORT_SMTP_URL and SALLYPORT_MAIL_FROM/);
    await using mailbox = await openMailbox({ tls: 'smtps', login: { user: 'acme', password: 'Tr0ub4dor' } });
    const mail = mailbox.config;
    const works = await examineMail({ mail }, { ca: MAILBOX_CA });
    assert.match(works.found, /^on: localhost:\d+, from portal@acme\.test$/);
    assert.equal(works.mend, undefined);
    const wrong = { ...mail, smtpUrl: mail.smtpUrl.replace('Tr0ub4dor', 'Tr0ub4dour') };
    const refused = [await examineMail({ mail: wrong }, { ca: MAILBOX_CA }), await examineMail({ mail })];
    assert.match(refused[0]?.found ?? '', /535/);
    assert.match(refused[1]?.found ?? '', /self-signed certificate/);
    for (const { found, mend } of refused) {
      assert.ok(mend);
      assert.doesNotMatch(`${found}${mend}`, /Tr0ub4do/);
    }
    assert.deepEqual(mailbox.letters, []);
  });
});

/** A clock that is off by so much. */
function at(offMs: number): () => number {
  return () => Date.now() + offMs;
}

function trusting(proxies: string): boolean {
  const env = { SALLYPORT_PUBLIC_URL: 'https://portal.acme.test', SALLYPORT_TRUSTED_PROXIES: proxies };
  return address(readConfig(env)).mend === undefined;
}
