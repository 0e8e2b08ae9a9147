/**
 * The moment at which the day ends that is so many days after the one of `now`, in a time zone: whoever is told "by
 * 8 December" has all of that day. Milliseconds; the moment itself belongs to the next day.
 */
export function endOfDayAfter(now: number, days: number, timeZone: string): number {
  const today = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(timeZone).toPlainDate();
  return endOf(today.add({ days }), timeZone);
}

/** The moment at which a day ends that is written as 2026-12-08; undefined where it is no such day. */
export function endOfDay(date: string, timeZone: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(date)) return undefined;
  try {
    return endOf(Temporal.PlainDate.from(date), timeZone);
  } catch (fault) {
    if (fault instanceof RangeError) return undefined;
    throw fault;
  }
}

function endOf(day: Temporal.PlainDate, timeZone: string): number {
  return day.add({ days: 1 }).toZonedDateTime(timeZone).epochMilliseconds;
}
