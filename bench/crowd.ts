import { timeStep, totpCode } from '../src/crypto/totp.ts';
import type { Enrolled } from './people.ts';
import { Browser, type Serving } from './server.ts';

/** Lets everybody in, so many at a time; answers how long each code took. */
export async function allIn(serving: Serving, people: readonly Enrolled[], clients: number): Promise<number[]> {
  const answers: number[] = [];
  const waiting = people.values();
  const oneByOne = async (): Promise<void> => {
    for (const person of waiting) answers.push(await signIn(serving, person));
  };
  await Promise.all(Array.from({ length: clients }, oneByOne));
  return answers;
}

async function signIn({ port }: Serving, { portal, email, password, secret }: Enrolled): Promise<number> {
  const browser = new Browser(port);
  await browser.get(`${portal}/sign-in`);
  await browser.post(`${portal}/sign-in`, { email, password });
  await browser.get(`${portal}/verify`);
  const { location, ms } = await browser.post(`${portal}/verify`, { code: totpCode(secret, timeStep(Date.now())) });
  const home = await browser.get(`${portal}/home`);
  if (location !== `${portal}/home` || home.status !== 200) throw new Error(`${email} was not let in`);
  browser.close();
  return ms;
}
