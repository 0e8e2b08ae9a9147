import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ServerProcess } from '../races/servers.ts';
import { eachEngine } from '../world.ts';
import { ACTS, type Prepare } from './acts.ts';
import { within } from './deadline.ts';
import { Scene } from './scene.ts';

/** The shortest of the acts has more statements than this; fewer would mean that nothing dies. */
const MOMENTS_MIN = 6;
const MOMENTS_MAX = 80;
const ACT_MS = 30_000;

eachEngine('a server that is killed at each statement, commit and answer', (engine) => {
  let scene: Scene;
  // The next one is loaded while one serves, and opens the database only after that one's death.
  let server: ServerProcess;
  let next: ServerProcess;

  before(async () => {
    scene = await Scene.open(engine);
    server = await scene.server();
    next = scene.load();
  });
  after(() => scene.close());

  for (const [name, prepare] of ACTS) {
    test(`of ${name} leaves it done or not done, and the person goes on`, async (t) => {
      const deaths = await dieAtEach(prepare);
      t.diagnostic(`${deaths} deaths`);
      assert.ok(deaths >= MOMENTS_MIN, `there were ${deaths} moments to die at`);
    });
  }

  /** Dies of the same act at its first moment, its second and so on; answers how many there were. */
  async function dieAtEach(prepare: Prepare): Promise<number> {
    let moment = 1;
    while (await diesAt(moment, prepare)) moment++;
    return moment - 1;
  }

  /** False where the act was over before that moment came. */
  async function diesAt(moment: number, prepare: Prepare): Promise<boolean> {
    assert.ok(moment <= MOMENTS_MAX, `an act with more than ${MOMENTS_MAX} statements`);
    const prepared = await prepare(scene);
    await server.tell({ now: scene.clock.now, dieAt: moment });
    const { status } = await prepared.act(server);
    const died = status === 0;
    if (died) await replace();
    else await server.tell({ now: scene.clock.now });
    await within(ACT_MS, 'Going on', prepared.goOn(server));
    assert.deepEqual(await scene.findings(), [], `after the death at moment ${moment}`);
    return died;
  }

  async function replace(): Promise<void> {
    await within(5_000, 'The death of a server', server.ended);
    server = next;
    next = scene.load();
    await scene.open(server);
  }
});
