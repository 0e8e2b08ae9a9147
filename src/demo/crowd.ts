import type { Example, State } from './seed.ts';

const NAMES: readonly [customer: string, domain: string, ...contacts: string[]][] = [
  ['Alder & Finch', 'alderfinch', 'Priya Nair', 'Tom Whitlock'],
  ['Brightwater', 'brightwater', 'Chloe Duval', 'Marek Zielinski', 'Aisha Bello'],
  ['Cobalt Prints', 'cobaltprints', 'Yuki Tanaka'],
  ['Dunmore Foods', 'dunmore', 'Sean Doyle', 'Grace Kelly'],
  ['Ember Ceramics', 'ember', 'Lucia Romano', 'Felix Braun'],
  ['Fennel & Co', 'fennel', 'Hana Kim', 'Oscar Lind'],
  ['Greenway Cycles', 'greenway', 'Amara Diallo', 'Peter Holm'],
  ['Harrow Glass', 'harrow', 'Ivy Chen'],
  ['Juniper Press', 'juniper', 'Nadia Rahman', 'Luca Ferri', 'Eva Horvat'],
  ['Kestrel Air', 'kestrel', 'Jonas Berg', 'Rosa Alvarez'],
];

const STATES: readonly State[] = ['set up', 'not enrolled', 'set up', 'set up', 'invited'];

/** More customers of Acme Billing, so that its lists and figures look like a merchant's. They are in nobody's story. */
export const CROWD: readonly Example[] = NAMES.map(([name, domain, ...contacts], at) => ({
  name,
  contacts: contacts.map((contact, nth) => ({
    name: contact,
    email: `${contact.split(' ')[0]?.toLowerCase()}@${domain}.test`,
    state: STATES[(at * 2 + nth) % STATES.length] ?? 'invited',
  })),
}));
