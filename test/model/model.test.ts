import { test } from 'node:test';
import { eachEngine } from '../database.ts';
import { runModel } from './runs.ts';

const RUNS = Number(process.env['MODEL_RUNS'] ?? 60);
const SEED = process.env['MODEL_SEED'];

eachEngine('whatever happens to an account', (engine) => {
  test('in whatever order, ends as the rules of the product say, act by act', async (t) => {
    const seed = SEED === undefined ? undefined : Number(SEED);
    const { stories, told } = await runModel(engine, { runs: RUNS, seed });
    t.diagnostic(`${stories} stories: ${JSON.stringify(told)}`);
  });
});
