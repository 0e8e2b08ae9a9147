import { remind } from '../auth/reminders.ts';
import type { Visit } from '../web/visit.ts';
import { actorOf, type AtContact, doneAt, nothingToDo } from './console.ts';
import { whyNoReminder } from './contact-words.ts';

/** Send reminder: it takes nothing from anybody, so it acts at once. */
export async function sendReminder(visit: Visit, at: AtContact): Promise<Response> {
  await visit.form();
  const { contact, who } = at;
  const title = `Send a reminder to ${contact.name}?`;
  const why = whyNoReminder(visit, who, contact);
  if (why !== undefined) return nothingToDo(visit, at, { title, why, asked: true });
  if (await remind(visit.installation, actorOf(visit, who), contact))
    return doneAt(visit, at, `${contact.email} gets an email that asks them to set up MFA.`);
  return nothingToDo(visit, at, { title, why: `${contact.name} was reminded within a day already.`, asked: true });
}
