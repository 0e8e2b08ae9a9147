import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findAccountByEmail, type Role } from '../../src/accounts/accounts.ts';
import { sql } from '../../src/db/db.ts';
import { acme, addStaff, enrol, type Person } from '../acme.ts';
import type { Page } from '../visitor.ts';
import { DAY_MS, eachEngine, HOUR_MS, MINUTE_MS, openWorld, type World } from '../world.ts';
import { inside, ownAddress, refusedWith, stage, unchanged, type Guest } from './front-door.ts';

const PASSWORD = 'seven quiet llamas knit';
const TEAM = '/admin/team';

const linkOn = ({ text }: Page): string => /\/admin\/welcome\/[\w.-]+/.exec(text)?.[0] ?? '';

/** What a page says, without its markup. */
const words = ({ text }: Page): string =>
  text
    .replace(/<[^>]*>/g, ' ')
    .replaceAll('&#39;', "'")
    .replace(/\s+/g, ' ');

/** A row of the list: what stands in it, with the gear's entries and why some are barred. */
function rowOf(page: Page, name: string): string {
  const rows = page.text.split('<tr>').map((text) => words({ ...page, text }));
  return rows.find((row) => row.trim().startsWith(name)) ?? '';
}

async function invited(world: World, ada: Guest, name: string, role: Role): Promise<{ link: string; person: Person }> {
  const email = `${name.split(' ')[0]?.toLowerCase()}@acme.test`;
  const link = linkOn(await ada.browser.post(`${TEAM}/invite`, { name, email, role }));
  const { organizationId } = ada.person;
  const account = await findAccountByEmail(world.db, organizationId, 'staff', email);
  assert.ok(account && link);
  return { link, person: { organizationId, id: account.id, surface: 'admin', name, email, password: PASSWORD } };
}

eachEngine('the team page', (engine) => {
  test('tells everybody on the staff who works there and how they stand, and marks who reads', async () => {
    await using world = await openWorld(engine);
    const seats = await stage(world);
    const { ada, sam, otto } = seats.people;
    const reader = await inside(seats.guest(otto));
    const owner = await inside(seats.guest(ada));
    await invited(world, owner, 'Bea Berg', 'support');
    await world.change(sql`UPDATE accounts SET suspected_at = 1 WHERE id = ${sam.id}`);
    const page = await reader.browser.get(TEAM);
    assert.match(rowOf(page, 'Ada Owens'), /ada@acme\.test Owner On since 24 November 2026 24 November 2026 Active/);
    assert.match(rowOf(page, 'Otto Lind You'), /otto@acme\.test Auditor On since .* Active/);
    assert.match(rowOf(page, 'Bea Berg'), /Support Not set up Never Invited/);
    assert.match(rowOf(page, 'Sam Porter'), /Locked password may be known to someone else/);
    assert.doesNotMatch(words(page), /Maria/, 'contacts are no staff');
    await world.change(
      sql`UPDATE accounts SET suspected_at = NULL, totp_wait_until = ${world.clock.now + HOUR_MS} WHERE id = ${sam.id}`,
    );
    assert.match(rowOf(await reader.browser.get(TEAM), 'Sam Porter'), /Locked until 10:0\d/);
    world.clock.advance(2 * MINUTE_MS);
    await owner.browser.post(`${TEAM}/${sam.id}/remove`);
    assert.equal(rowOf(await reader.browser.get(TEAM), 'Sam Porter'), '', 'who was removed is gone');
  });

  test('keeps what is barred in its place and says why', async () => {
    await using world = await openWorld(engine);
    const seats = await stage(world);
    const { ada, sam, otto, organization } = seats.people;
    const olga = await addStaff(world.installation, organization, 'Olga Owens', 'owner');
    await enrol(world.installation, olga);
    const abe = await addStaff(world.installation, organization, 'Abe Adler', 'admin');
    const by = async (person: Person): Promise<Page> => (await inside(seats.guest(person))).browser.get(TEAM);
    const ours = await by(ada);
    assert.match(rowOf(ours, 'Ada Owens You'), /Change role That's you: ask another owner/);
    assert.match(rowOf(ours, 'Olga Owens'), /Reset MFA At the command line only/);
    assert.match(rowOf(ours, 'Otto Lind'), /Reset MFA MFA isn't set up Make a new invitation link Has a password/);
    const admins = await by(abe);
    assert.match(rowOf(admins, 'Ada Owens'), /Change role Ask an owner .* Remove Ask an owner/);
    assert.ok(admins.text.includes(`href="${TEAM}/${otto.id}/remove"`));
    assert.ok(admins.text.includes(`href="${TEAM}/invite"`));
    const supports = await by(sam);
    assert.match(rowOf(supports, 'Otto Lind'), /Change role Ask an owner or admin/);
    assert.match(words(supports), /Invite: Ask an owner or admin/);
    assert.ok(!supports.text.includes(`href="${TEAM}/`));
  });
});

eachEngine('an invitation', (engine) => {
  test('is a link shown once; who opens it chooses a password, enrols, and may do what the role may', async () => {
    await using world = await openWorld(engine);
    const seats = await stage(world);
    const ada = await inside(seats.guest(seats.people.ada));
    const { link, person } = await invited(world, ada, 'Bea Berg', 'support');
    assert.match(
      words(ada.browser.page),
      /Send them this link yourself.*can't show it again; it works for 24 hours, once/,
    );
    assert.doesNotMatch((await ada.browser.get(TEAM)).text, /admin\/welcome/);
    const bea = await seats.guest(person);
    for (let looks = 0; looks < 3; looks++) {
      const page = await unchanged(world, () => bea.browser.get(link));
      assert.equal(page.h1, 'Set up your Acme Billing account');
      assert.match(words(page), /a code from an authenticator app, which you set up next/);
    }
    refusedWith(await bea.browser.post(link, { email: person.email, password: 'short' }), 422, /12 characters/);
    refusedWith(await bea.browser.post(link, { email: '', password: 'acme billing bea' }), 422, /Don't use your name/);
    const set = await bea.browser.post(link, { email: person.email, password: PASSWORD });
    assert.equal(set.location, '/admin/sign-in');
    assert.match((await bea.browser.follow()).text, /value="bea@acme.test"/);
    refusedWith(await bea.browser.get(link), 404, /more than 24 hours old, has been used, or was replaced/);
    assert.equal((await bea.browser.get(TEAM)).location, '/admin/sign-in', 'the link opened no session');
    await bea.enrols();
    await bea.signsIn();
    assert.equal((await bea.browser.get(TEAM)).status, 200);
    assert.equal((await bea.browser.get(`${TEAM}/invite`)).status, 403);
  });

  test('asks for name, email and a role that the reader may give, and keeps what was written', async () => {
    await using world = await openWorld(engine);
    const seats = await stage(world);
    const abe = await addStaff(world.installation, seats.people.organization, 'Abe Adler', 'admin');
    const { browser } = await inside(seats.guest(abe));
    const page = await browser.get(`${TEAM}/invite`);
    assert.match(words(page), /Only owners make owners/);
    assert.ok(!page.text.includes('value="owner"'));
    const bea = { name: 'Bea Berg', email: 'bea@acme.test', role: 'support' };
    await acme(world.installation, 'rival');
    await unchanged(world, async () => {
      const empty = await browser.post(`${TEAM}/invite`, { name: ' ', email: '', role: '' });
      assert.equal(empty.status, 422);
      assert.deepEqual(empty.errors, ['Enter their name', 'Enter their email', 'Choose a role']);
      refusedWith(await browser.post(`${TEAM}/invite`, { ...bea, role: 'owner' }), 422, /Choose a role/);
      refusedWith(await browser.post(`${TEAM}/invite`, { ...bea, email: 'bea' }), 422, /in the right format/);
      for (const email of ['sam@acme.test', 'Sam@Rival.test']) {
        const taken = await browser.post(`${TEAM}/invite`, { ...bea, email });
        refusedWith(taken, 422, /Somebody who signs in to this console has this email already/);
        assert.ok(taken.text.includes('value="Bea Berg"') && taken.text.includes(`value="${email}"`));
        assert.doesNotMatch(words(taken).replaceAll(email, ''), /rival/i);
      }
    });
    assert.equal((await browser.post(`${TEAM}/invite`, bea)).status, 200);
  });

  test('is made anew for who has no password; the one before is dead, and so is an old one', async () => {
    await using world = await openWorld(engine);
    const seats = await stage(world);
    const ada = await inside(seats.guest(seats.people.ada));
    const { link, person } = await invited(world, ada, 'Bea Berg', 'support');
    const again = `${TEAM}/${person.id}/invitation-link`;
    assert.match(words(await ada.browser.get(again)), /A link made before stops working/);
    const fresh = linkOn(await ada.browser.post(again));
    const stranger = await world.visitor({ address: ownAddress() });
    assert.equal((await stranger.get(link)).status, 404);
    assert.equal((await stranger.get(fresh)).status, 200);
    world.clock.advance(DAY_MS);
    refusedWith(await stranger.post(fresh, { email: '', password: PASSWORD }), 422, /This link no longer works/);
    const { sam } = seats.people;
    await ada.signsIn();
    assert.match(
      words(await ada.browser.get(`${TEAM}/${sam.id}/invitation-link`)),
      /Sam Porter has a password already/,
    );
    const page = await ada.browser.post(`${TEAM}/${sam.id}/invitation-link`);
    refusedWith(page, 422, /Sam Porter has a password already/);
  });
});

eachEngine('an act on the team', (engine) => {
  test('says in numbers what it will do, does it, and says that it is done', async () => {
    await using world = await openWorld(engine);
    const seats = await stage(world);
    const { people } = seats;
    const ada = await inside(seats.guest(people.ada));
    const sam = await inside(seats.guest(people.sam));
    const other = await sam.elsewhere();
    await other.signsIn();
    const path = (act: string): string => `${TEAM}/${people.sam.id}/${act}`;
    const asks = async (act: string): Promise<string> => words(await ada.browser.get(path(act)));
    assert.match(await asks('sign-out'), /They are signed out now, in 2 browsers/);
    await ada.browser.post(path('sign-out'));
    assert.match(words(await ada.browser.follow()), /Sam Porter is signed out everywhere\./);
    for (const one of [sam, other]) assert.equal((await one.browser.get('/admin')).location, '/admin/sign-in');
    assert.match(await asks('role'), /Sam Porter is Support now They aren't signed in anywhere now/);
    assert.match(await asks('role'), /Auditor See every page of the console, export the audit log/);
    refusedWith(await ada.browser.post(path('role'), { role: 'boss' }), 422, /Choose a role/);
    await ada.browser.post(path('role'), { role: 'admin' });
    assert.match(words(await ada.browser.follow()), /Sam Porter is Admin now, and signed out everywhere\./);
    assert.match(await asks('remove'), /Their email is free/);
    await ada.browser.post(path('remove'));
    assert.match(words(await ada.browser.follow()), /Sam Porter is no longer on the team\./);
    assert.equal((await ada.browser.get(path('remove'))).status, 404);
    assert.equal((await ada.browser.post(path('remove'))).status, 404);
  });

  test('resets the MFA of a lower role, who enrols again and is told', async () => {
    await using world = await openWorld(engine);
    const seats = await stage(world);
    const { people } = seats;
    const ada = await inside(seats.guest(people.ada));
    const sam = await inside(seats.guest(people.sam));
    const reset = `${TEAM}/${people.sam.id}/reset-mfa`;
    const given = { check: 'other', note: 'no' };
    assert.match(words(await ada.browser.get(reset)), /checked that it really is Sam Porter.*in 1 browser/);
    await unchanged(world, async () => {
      refusedWith(await ada.browser.post(reset, given), 422, /Say how you checked, in 10 characters/);
      refusedWith(await ada.browser.post(reset, { ...given, check: '' }), 422, /Choose how you checked/);
    });
    await ada.browser.post(reset, { ...given, note: 'Met him at the office' });
    assert.match(words(await ada.browser.follow()), /MFA reset for sam@acme\.test/);
    assert.equal((await sam.browser.get('/admin')).location, '/admin/sign-in');
    assert.equal((await sam.password()).location, '/admin/enable-mfa');
    const rows = (await world.audit(people.sam)).filter(({ action }) => action === 'mfa.reset');
    assert.deepEqual(
      rows.map(({ actorId, reason }) => [actorId, reason]),
      [[people.ada.id, 'Other: Met him at the office']],
    );
    refusedWith(await ada.browser.post(reset, given), 422, /MFA isn't set up/);
  });

  test('is refused at the next click of an admin who was demoted, and for good', async () => {
    await using world = await openWorld(engine);
    const seats = await stage(world);
    const { people } = seats;
    const person = await addStaff(world.installation, people.organization, 'Abe Adler', 'admin');
    const ada = await inside(seats.guest(people.ada));
    const abe = await inside(seats.guest(person));
    assert.equal((await abe.browser.get(`${TEAM}/${people.otto.id}/remove`)).status, 200);
    await ada.browser.post(`${TEAM}/${person.id}/role`, { role: 'support' });
    const click = await abe.browser.post(`${TEAM}/${people.otto.id}/remove`);
    assert.equal(click.location, '/admin/sign-in', 'the session of the old role has ended');
    await abe.signsIn();
    assert.equal((await abe.browser.post(`${TEAM}/${people.otto.id}/remove`)).status, 403);
    assert.equal((await abe.browser.get(`${TEAM}/invite`)).status, 403);
    assert.equal((await world.account(people.otto)).disabledAt, null);
  });

  test('reaches neither oneself, nor an equal of an admin, nor anybody elsewhere', async () => {
    await using world = await openWorld(engine);
    const seats = await stage(world);
    const { people } = seats;
    const installation = world.installation;
    const person = await addStaff(installation, people.organization, 'Abe Adler', 'admin');
    const ben = await addStaff(installation, people.organization, 'Ben Berg', 'admin');
    const rival = await acme(installation, 'rival');
    const abe = await inside(seats.guest(person));
    const ada = await inside(seats.guest(people.ada));
    const forms: [act: string, fields: Record<string, string>][] = [
      ['role', { role: 'auditor' }],
      ['sign-out', {}],
      ['remove', {}],
      ['invitation-link', {}],
    ];
    await unchanged(world, async () => {
      for (const [act, fields] of forms) {
        for (const [one, whom] of [
          [abe, person],
          [abe, ben],
          [abe, people.ada],
          [ada, people.ada],
        ] as const) {
          const path = `${TEAM}/${whom.id}/${act}`;
          assert.equal((await one.browser.get(path)).status, 403, `${one.person.name}: ${act} ${whom.name}`);
          refusedWith(await one.browser.post(path, { ...fields }), 403, /Ask an owner|That's you/);
        }
        for (const whom of [rival.sam, people.maria])
          assert.equal((await ada.browser.post(`${TEAM}/${whom.id}/${act}`, { ...fields })).status, 404);
      }
    });
  });
});
