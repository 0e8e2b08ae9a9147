-- Work that is longer than a request: one row a job. Whoever holds it does a bite at a time; the bite and the row's new
-- cursor are one transaction, so a job that is killed anywhere goes on where it was and does nothing twice.
-- 'prepared' is a job that somebody still looks at before it is started. plan and result are JSON; actor_* says for whom.
CREATE TABLE jobs (
  organization_id TEXT NOT NULL REFERENCES organizations (id),
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('prepared', 'waiting', 'running', 'finished', 'stopped', 'failed')),
  actor_kind TEXT NOT NULL CHECK (actor_kind IN ('account', 'operator', 'system', 'api-key')),
  actor_id TEXT,
  actor_address TEXT,
  plan TEXT NOT NULL,
  cursor TEXT NOT NULL DEFAULT '',
  total BIGINT NOT NULL CHECK (total >= 0),
  done BIGINT NOT NULL DEFAULT 0 CHECK (done >= 0),
  errors BIGINT NOT NULL DEFAULT 0 CHECK (errors >= 0),
  result TEXT NOT NULL DEFAULT '{}',
  why TEXT,
  holder TEXT,
  held_until BIGINT NOT NULL DEFAULT 0,
  worked_at BIGINT NOT NULL DEFAULT 0,
  stop_asked_at BIGINT,
  created_at BIGINT NOT NULL,
  started_at BIGINT,
  ended_at BIGINT,
  PRIMARY KEY (organization_id, id)
);
CREATE INDEX jobs_open ON jobs (worked_at, id) WHERE state IN ('waiting', 'running');
CREATE INDEX jobs_by_end ON jobs (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX jobs_prepared ON jobs (created_at) WHERE state = 'prepared';

-- Files that jobs read and write, in parts, sealed like every secret: an upload may hold some. Gone a day after the end.
CREATE TABLE job_parts (
  organization_id TEXT NOT NULL,
  id TEXT NOT NULL,
  job_id TEXT NOT NULL,
  file TEXT NOT NULL,
  part BIGINT NOT NULL,
  sealed TEXT NOT NULL,
  PRIMARY KEY (organization_id, id),
  UNIQUE (organization_id, job_id, file, part),
  FOREIGN KEY (organization_id, job_id) REFERENCES jobs (organization_id, id)
);
