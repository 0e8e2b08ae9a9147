-- last_used_at: when a process last said that it seals with the key; raised each time, so that whoever releases the key
-- notices anybody who has taken it up meanwhile.
ALTER TABLE key_uses ADD COLUMN last_used_at BIGINT NOT NULL DEFAULT 0;

-- The processes that run, each with the keys it has: key_ids are joined by commas, current_key seals. Written at start
-- and every minute, deleted at the end; whoever was killed is forgotten by the age of seen_at.
CREATE TABLE key_holders (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  current_key TEXT NOT NULL,
  key_ids TEXT NOT NULL,
  seen_at BIGINT NOT NULL
);
