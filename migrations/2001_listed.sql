-- What the list of customers filters, sorts, searches and pages by, kept on the account's own row, so that one index
-- answers a page whatever else is in the tables. Truth stands where it stood; src/accounts/listed.ts keeps these in
-- step with it, in the transaction of the fact.

-- Since when MFA is on; NULL where it is not set up. Says so too where the authenticator's own row was lost.
ALTER TABLE accounts ADD COLUMN mfa_since BIGINT;
-- Codes of the active set that still work; NULL where there is no set.
ALTER TABLE accounts ADD COLUMN backup_codes_left BIGINT;
-- When the last sign-in was, and 0 where there was none: both engines put it into the same place of an order.
ALTER TABLE accounts ADD COLUMN last_sign_in_key BIGINT NOT NULL DEFAULT 0;
-- The sort key of a contact's customer. NULL for staff, so that it also tells contacts from them in every index below.
ALTER TABLE accounts ADD COLUMN
  customer_key TEXT;
-- The words that a contact is found by, in the order of their bytes, with a space before each and after the last; NULL
-- where they were never written down, which the housekeeping makes up for. A customer has its own only while nobody is
-- there.
ALTER TABLE accounts ADD COLUMN
  words TEXT;
ALTER TABLE customers ADD COLUMN
  words TEXT;
-- How many contacts a customer has.
ALTER TABLE customers ADD COLUMN contacts BIGINT NOT NULL DEFAULT 0;

UPDATE accounts SET
  mfa_since = COALESCE(
    (SELECT MIN(m.enabled_at) FROM authenticators m WHERE m.organization_id = accounts.organization_id
      AND m.account_id = accounts.id AND m.enabled_at IS NOT NULL AND m.revoked_at IS NULL),
    (SELECT s.created_at FROM backup_code_sets s WHERE s.organization_id = accounts.organization_id
      AND s.account_id = accounts.id AND s.revoked_at IS NULL)),
  backup_codes_left = (SELECT COUNT(b.id) - COUNT(b.used_at) FROM backup_code_sets s JOIN backup_codes b
    ON b.organization_id = s.organization_id AND b.set_id = s.id
    WHERE s.organization_id = accounts.organization_id AND s.account_id = accounts.id AND s.revoked_at IS NULL
    HAVING COUNT(b.id) > 0),
  customer_key = (SELECT c.sort_key FROM customers c WHERE c.organization_id = accounts.organization_id
    AND c.id = accounts.customer_id),
  last_sign_in_key = COALESCE(last_sign_in_at, 0);
UPDATE customers SET contacts = (SELECT COUNT(*) FROM accounts a WHERE a.organization_id = customers.organization_id
  AND a.customer_id = customers.id);

-- In the order of the list, and the same for each filter that few or many may fulfil. A filter's condition stands in
-- src/accounts/list-view.ts in these very words, or no engine would know its index; its columns stand behind the order,
-- so that the index alone answers.
CREATE INDEX accounts_listed ON accounts (organization_id, customer_key, customer_id, id)
  WHERE customer_key IS NOT NULL;
CREATE INDEX accounts_listed_on ON accounts (organization_id, customer_key, customer_id, id, mfa_since)
  WHERE customer_key IS NOT NULL AND mfa_since IS NOT NULL;
CREATE INDEX accounts_listed_not_set_up ON accounts (organization_id, customer_key, customer_id, id, mfa_since)
  WHERE customer_key IS NOT NULL AND mfa_since IS NULL;
CREATE INDEX accounts_listed_low ON accounts (organization_id, customer_key, customer_id, id, mfa_since,
  backup_codes_left)
  WHERE customer_key IS NOT NULL AND mfa_since IS NOT NULL AND COALESCE(backup_codes_left, 0) <= 2;
CREATE INDEX accounts_listed_locked ON accounts (organization_id, customer_key, customer_id, id, suspected_at,
  totp_wait_until, backup_wait_until)
  WHERE customer_key IS NOT NULL AND (suspected_at IS NOT NULL OR totp_wait_until > 0 OR backup_wait_until > 0);
CREATE INDEX accounts_listed_reset ON accounts (organization_id, customer_key, customer_id, id, reset_notice_at, mfa_since)
  WHERE customer_key IS NOT NULL AND reset_notice_at IS NOT NULL AND mfa_since IS NULL;
CREATE INDEX accounts_listed_invited ON accounts (organization_id, customer_key, customer_id, id, disabled_at,
  password_set_at)
  WHERE customer_key IS NOT NULL AND disabled_at IS NULL AND password_set_at IS NULL;
CREATE INDEX accounts_listed_closed ON accounts (organization_id, customer_key, customer_id, id, disabled_at)
  WHERE customer_key IS NOT NULL AND disabled_at IS NOT NULL;
CREATE INDEX accounts_by_address ON accounts (organization_id, email_key, id, customer_key)
  WHERE customer_key IS NOT NULL;
CREATE INDEX accounts_by_last_sign_in ON accounts (organization_id, last_sign_in_key, id, customer_key)
  WHERE customer_key IS NOT NULL;
CREATE INDEX customers_without_contacts ON customers (organization_id, sort_key, id) WHERE contacts = 0;

-- Whom the policy reaches, counted from the index alone.
CREATE INDEX accounts_reached ON accounts (organization_id, kind, mfa_since, disabled_at) WHERE disabled_at IS NULL;

-- Whom the housekeeping still has to write words down for.
CREATE INDEX accounts_without_words ON accounts (organization_id, id) WHERE kind = 'contact' AND words IS NULL;
CREATE INDEX customers_without_words ON customers (organization_id, id) WHERE words IS NULL;

-- Everything of one account, for a reset and for a deletion: the indexes there were know only what is open or pending,
-- so that both read whole tables, and a foreign key is checked from the other side too.
CREATE INDEX sessions_by_account ON sessions (organization_id, account_id);
CREATE INDEX authenticators_by_account ON authenticators (organization_id, account_id);
CREATE INDEX backup_code_sets_by_account ON backup_code_sets (organization_id, account_id);
CREATE INDEX staff_emails_by_account ON staff_emails (organization_id, account_id);
