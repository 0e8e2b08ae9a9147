import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR } from '../../src/accounts/audit.ts';
import { changeContact, findContact } from '../../src/accounts/contacts.ts';
import { hashNewPassword, storePassword } from '../../src/auth/passwords.ts';
import { answers, challenged, enrol, home, signsIn, type Person } from '../acme.ts';
import { queued } from '../queued.ts';
import { DAY_MS, eachEngine, openWorld, STEP_MS_OF, type World } from '../world.ts';

const kinds = async (world: World, whose: Person): Promise<string[]> =>
  (await queued(world, whose)).map(({ kind }) => kind);
