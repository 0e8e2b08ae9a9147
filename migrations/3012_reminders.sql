-- Reminders, each sent once. What was sent last stands on the account's own row, so that one index holds exactly those
-- who may be due, however many are not.

-- So many days before the end of the grace the last one went out; 8: none yet. A grace begins it anew.
ALTER TABLE accounts ADD COLUMN grace_reminded BIGINT NOT NULL DEFAULT 8;
CREATE INDEX accounts_grace_due ON accounts (organization_id, grace_policy_at, grace_reminded, grace_until)
  WHERE customer_key IS NOT NULL AND mfa_since IS NULL AND disabled_at IS NULL AND grace_until IS NOT NULL;

-- From so few backup codes on the next letter is due: 2 at first, 0 once few were told of, -1 once none were. A new set
-- begins it anew.
ALTER TABLE accounts ADD COLUMN codes_reminded BIGINT NOT NULL DEFAULT 2;
CREATE INDEX accounts_codes_due ON accounts (organization_id, codes_reminded, backup_codes_left)
  WHERE customer_key IS NOT NULL AND mfa_since IS NOT NULL AND disabled_at IS NULL;

-- When staff last had a reminder sent.
ALTER TABLE accounts ADD COLUMN reminded_at BIGINT;
