import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acme, addStaff, enrol, type Person } from '../acme.ts';
import { Guest, stage, unchanged, enrolled, inside } from '../surface/front-door.ts';
import { eachEngine, openWorld } from '../world.ts';

const REASON = { check: 'met-in-person', note: '' };

eachEngine('a reset across organizations or by an equal (ASVS 8.2.1, 8.2.2, 8.4.1)', (engine) => {
  test('reaches nobody of another merchant, by whatever mixture of ids', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    await enrolled(guest(people.maria));
    const rival = await acme(world.installation, 'rival');
    const ada = new Guest(world, rival.ada, 'rival', await world.visitor());
    await ada.enrols();
    await ada.signsIn();
    await unchanged(world, async () => {
      for (const customer of [people.globex.id, rival.globex.id])
        for (const contact of [people.maria.id, people.ada.id])
          for (const act of ['reset-mfa', 'unlock', 'disable', 'enable', 'welcome-link', 'edit']) {
            const page = await ada.browser.post(`/admin/customers/${customer}/contacts/${contact}/${act}`, REASON);
            assert.equal(page.status, 404, act);
          }
    });
  });

  test('reaches no staff, oneself least of all, and no role below support resets anybody', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    await enrolled(guest(people.maria));
    const abe = await addStaff(world.installation, people.organization, 'Abe Adler', 'admin');
    for (const person of [people.ada, abe, people.sam, people.otto]) {
      const one = await inside(guest(person));
      await unchanged(world, async () => {
        for (const target of [people.ada.id, abe.id, people.sam.id, people.otto.id])
          for (const customer of [people.globex.id, target, people.organization.id]) {
            const page = await one.browser.post(`/admin/customers/${customer}/contacts/${target}/reset-mfa`, REASON);
            assert.equal(page.status, person === people.otto ? 403 : 404);
          }
        if (person !== people.otto) return;
        const path = `/admin/customers/${people.globex.id}/contacts/${people.maria.id}/reset-mfa`;
        assert.equal((await one.browser.post(path, REASON)).status, 403);
      });
    }
  });

  test('reaches of the staff only whom a higher role manages: no equal, nobody above, nobody of another merchant', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const { installation } = world;
    const abe = await addStaff(installation, people.organization, 'Abe Adler', 'admin');
    const olga = await addStaff(installation, people.organization, 'Olga Owens', 'owner');
    const { ada, sam, otto } = people;
    const { sam: rival } = await acme(installation, 'rival');
    await enrol(installation, rival);
    await enrol(installation, olga);
    const refused: [Person, [Person, number][]][] = [
      [
        ada,
        [
          [ada, 403],
          [olga, 422],
          [rival, 404],
        ],
      ],
      [
        abe,
        [
          [ada, 403],
          [olga, 403],
          [abe, 403],
          [rival, 404],
        ],
      ],
      [
        sam,
        [
          [ada, 403],
          [abe, 403],
          [sam, 403],
          [otto, 403],
          [rival, 403],
        ],
      ],
      [
        otto,
        [
          [ada, 403],
          [abe, 403],
          [sam, 403],
          [otto, 403],
          [rival, 403],
        ],
      ],
    ];
    const guests = new Map<Person, Guest>();
    for (const [agent] of refused) {
      const one = await guest(agent);
      await one.enrols();
      guests.set(agent, one);
    }
    for (const [agent, targets] of refused) {
      const one = guests.get(agent);
      await one?.signsIn();
      await unchanged(world, async () => {
        for (const [target, status] of targets) {
          const page = await one?.browser.post(`/admin/team/${target.id}/reset-mfa`, REASON);
          assert.equal(page?.status, status, `${agent.name} resets ${target.name}`);
        }
      });
    }
    for (const [agent, target] of [
      [abe, otto],
      [ada, abe],
    ] as const) {
      const one = guests.get(agent);
      await one?.signsIn();
      assert.equal((await one?.browser.post(`/admin/team/${target.id}/reset-mfa`, REASON))?.status, 303);
    }
  });

  test('is no part of the portal: a contact’s session opens no page of staff, not even the own contact’s', async () => {
    await using world = await openWorld(engine);
    const { people, guest } = await stage(world);
    const maria = await inside(guest(people.maria));
    const session = maria.browser.cookies.get('__Host-sallyport') ?? '';
    maria.browser.cookies.set('__Host-sallyport-admin', session);
    await unchanged(world, async () => {
      for (const contact of [people.maria.id, people.noor.id, people.eve.id]) {
        const path = `/admin/customers/${people.globex.id}/contacts/${contact}/reset-mfa`;
        assert.equal((await maria.browser.post(path, REASON)).location, '/admin/sign-in');
      }
    });
  });
});
