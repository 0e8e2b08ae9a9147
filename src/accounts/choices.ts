import { RolledBack, sql } from '../db/db.ts';
import { record, type Actor } from './audit.ts';
import type { Installation } from './installation.ts';
import type { Choices } from './organizations.ts';

export const TRUSTED_DEVICE_DAYS = { min: 1, max: 180 };
export const RECOVERY_WAIT_HOURS = { min: 0, max: 168 };

const DAY_MS = 24 * 60 * 60_000;

/**
 * Saves what an organization lets its customers do beyond password and code, at once and recorded. False where nothing
 * has changed. What is no longer allowed ends by its own lookup, which asks the organization's row. Devices that end so
 * stay ended: a moment is kept before which none counts, so that allowing more again later brings none of them back.
 */
export function saveChoices(
  installation: Installation,
  actor: Actor,
  organizationId: string,
  choices: Choices,
): Promise<boolean> {
  const { trustedDeviceDays, passkeys, enrolmentConfirmation, recoveryWaitHours } = choices;
  const now = installation.now();
  const devicesFrom = trustedDeviceDays === null ? now : now - trustedDeviceDays * DAY_MS;
  return installation.db.transaction<boolean>(async (tx) => {
    const changed = await tx.run(sql`UPDATE organizations SET trusted_device_days = ${trustedDeviceDays},
        passkeys = ${passkeys}, enrolment_confirmation = ${enrolmentConfirmation}, recovery_wait_hours = ${recoveryWaitHours},
        devices_from = CASE WHEN devices_from > ${devicesFrom} THEN devices_from ELSE CAST(${devicesFrom} AS BIGINT) END
      WHERE id = ${organizationId} AND (trusted_device_days IS DISTINCT FROM ${trustedDeviceDays} OR passkeys <> ${passkeys}
        OR enrolment_confirmation <> ${enrolmentConfirmation} OR recovery_wait_hours <> ${recoveryWaitHours})`);
    if (changed === 0) return new RolledBack(false);
    await record(tx, installation, {
      organizationId,
      actor,
      action: 'settings.changed',
      details: { changed: 'choices', trustedDeviceDays, passkeys, enrolmentConfirmation, recoveryWaitHours },
    });
    return true;
  });
}
