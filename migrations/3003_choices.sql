-- What an organization lets its customers do beyond the password and the code, each off or at its usual value at first.
ALTER TABLE organizations ADD COLUMN trusted_device_days BIGINT CHECK (trusted_device_days BETWEEN 1 AND 180);
ALTER TABLE organizations ADD COLUMN passkeys TEXT NOT NULL DEFAULT 'off'
  CHECK (passkeys IN ('off', 'second-factor', 'sign-in'));
ALTER TABLE organizations ADD COLUMN enrolment_confirmation TEXT NOT NULL DEFAULT 'none'
  CHECK (enrolment_confirmation IN ('none', 'required'));
ALTER TABLE organizations ADD COLUMN recovery_wait_hours BIGINT NOT NULL DEFAULT 24
  CHECK (recovery_wait_hours BETWEEN 0 AND 168);
