-- Policy with foresight: grace, exemptions, and signing everyone out of a portal at once.

-- Days of grace that the policy gives; NULL: at their next sign-in.
ALTER TABLE organizations ADD COLUMN grace_days BIGINT CHECK (grace_days BETWEEN 1 AND 90);

-- Raised to sign everyone out of the portal; its sessions carry the one that they were born under.
ALTER TABLE organizations ADD COLUMN session_epoch BIGINT NOT NULL DEFAULT 1;
ALTER TABLE sessions ADD COLUMN session_epoch BIGINT NOT NULL DEFAULT 1;

-- Who is signed in: few of a long history are not over. Both columns stay as they were born.
CREATE INDEX sessions_not_over ON sessions (organization_id, surface, expires_at) WHERE ended_at IS NULL;

-- The grace of an account, and the organization's policy_changed_at that it was granted under: once for each policy.
ALTER TABLE accounts ADD COLUMN grace_until BIGINT;
ALTER TABLE accounts ADD COLUMN grace_policy_at BIGINT;

-- The policy asks nothing of an account until then, for that reason, as that staff member ('operator': at the shell) has said.
ALTER TABLE accounts ADD COLUMN exempt_until BIGINT;
ALTER TABLE accounts ADD COLUMN exempt_reason TEXT;
ALTER TABLE accounts ADD COLUMN exempt_by TEXT;
CREATE INDEX accounts_exempt ON accounts (organization_id, exempt_until) WHERE exempt_until IS NOT NULL;

-- Whom a policy would affect and how, counted from the index alone.
CREATE INDEX accounts_affected ON accounts
  (organization_id, disabled_at, password_set_at, mfa_since, exempt_until, grace_policy_at, grace_until)
  WHERE customer_key IS NOT NULL;
-- Who has MFA, in the order of ids in which a job goes through them.
CREATE INDEX accounts_enrolled ON accounts (organization_id, id) WHERE customer_key IS NOT NULL AND mfa_since IS NOT NULL;

-- Until when the enrolment that a sign-in has led to may be put off; NULL: there is no way around it.
ALTER TABLE challenges ADD COLUMN later_until BIGINT;
