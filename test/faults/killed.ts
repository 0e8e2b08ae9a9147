import type { Engine } from '../world.ts';
import { check, type Finding } from './checker.ts';
import { until, within } from './deadline.ts';
import { PORTAL, Scene } from './scene.ts';
import { Traffic, type Failure } from './traffic.ts';

const AT_ONCE = 8;

export interface Killed {
  readonly letIn: number;
  readonly kills: number;
  readonly failures: readonly Failure[];
  /** How many codes were entered once more, and how many of them opened a session again. */
  readonly enteredAgain: number;
  readonly workedAgain: number;
  readonly findings: readonly Finding[];
}

/** So many people sign in while the server is killed after each of these counts, in the middle of some, and started anew. */
export async function killInTheMiddle(
  engine: Engine,
  signIns: number,
  killedAfter: readonly number[],
): Promise<Killed> {
  await using scene = await Scene.open(engine);
  const customers = (await scene.members(signIns)).map((member) => ({ ...member, portal: PORTAL }));
  let server = await scene.server();
  // Its clock stands: however slow the machine is, a code that was entered can be entered again.
  const traffic = new Traffic(
    () => server.port,
    customers,
    scene.ledger,
    () => scene.clock.now,
  );
  const comingIn = traffic.everybody(AT_ONCE);
  for (const count of killedAfter) {
    const next = scene.load();
    await until(120_000, `Sign-in ${count}`, async () => traffic.letIn >= count);
    await server.kill();
    await scene.open(next);
    server = next;
  }
  await within(300_000, 'Letting everybody in', comingIn);
  const { letIn } = traffic;
  const enteredAgain = await traffic.again(AT_ONCE);
  await server.stop();
  const findings = await scene.work((installation) => check(installation, scene.ledger));
  const { failures } = traffic;
  return { letIn, kills: killedAfter.length, failures, enteredAgain, workedAgain: traffic.letIn - letIn, findings };
}
