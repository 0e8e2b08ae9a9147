import { activeApps } from '../../src/auth/authenticators.ts';
import { inside, stage, type Guest } from '../surface/front-door.ts';
import { setPolicy } from '../acme.ts';
import { openWorld, type Engine, type World } from '../world.ts';
import type { Post } from './siege.ts';

const AT = '/portal/:slug/security';
const APP = `${AT}/authenticators/:authenticator`;

/** The forms by which contacts change how their own account is guarded, each of somebody of its own, freshly proven. */
export async function ownPosts(world: World, newcomer: () => Promise<Guest>): Promise<Post[]> {
  const post = async (pattern: string, fields = {}, prepare?: (one: Guest) => Promise<unknown>): Promise<Post> => {
    const one = await inside(newcomer());
    await prepare?.(one);
    const [app] = await activeApps(world.db, one.person);
    const path = pattern
      .replace('/portal/:slug', one.door)
      .replace(':authenticator', app?.id ?? '')
      .replace(':session', 'none');
    return { name: `POST ${pattern}`, world, browser: one.browser, path, fields };
  };
  return [
    await post(`${AT}/authenticators/new`, { name: 'Tablet' }),
    await post(`${APP}/replace`),
    await post(`${APP}/rename`, { name: 'Work phone' }),
    await post(`${APP}/remove`, {}, async (one) => {
      await one.addsApp();
      await one.signsIn();
    }),
    await post(`${AT}/backup-codes`),
    await post('/portal/:slug/enable-mfa/cancel', {}, (one) =>
      one.browser.post(`${one.door}/security/authenticators/new`, { name: 'Tablet' }),
    ),
    await post(`${AT}/sessions/end-others`),
    await post(`${AT}/sessions/:session/end`),
  ];
}

/** MFA is turned off only where the policy does not ask for it, so that form has a world of its own. */
export async function turningOff(engine: Engine): Promise<Post> {
  const world = await openWorld(engine);
  const { people, guest } = await stage(world);
  const maria = await inside(guest(people.maria));
  await setPolicy(world.installation, people.organization, 'optional');
  const path = `${maria.door}/security/turn-off-mfa`;
  return { name: `POST ${AT}/turn-off-mfa`, world, browser: maria.browser, path, fields: {} };
}
