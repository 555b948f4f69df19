CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE TABLE repository_contributor (
	repository_id INTEGER NOT NULL,
	contributor_id INTEGER NOT NULL,
	commit_count BIGINT DEFAULT '0' NOT NULL, merge_count BIGINT DEFAULT '0' NOT NULL,
	CONSTRAINT pk_repository_contributor PRIMARY KEY (repository_id, contributor_id),
	CONSTRAINT fk_repository_contributor_repository_id_repository FOREIGN KEY(repository_id) REFERENCES repository (id) ON DELETE CASCADE,
	CONSTRAINT fk_repository_contributor_contributor_id_contributor FOREIGN KEY(contributor_id) REFERENCES contributor (id) ON DELETE CASCADE
);

CREATE INDEX ix_repository_contributor_contributor_id ON repository_contributor (contributor_id);

CREATE TABLE "repository" (
	id INTEGER NOT NULL,
	url TEXT NOT NULL,
	state TEXT NOT NULL,
	error TEXT,
	total_commits BIGINT,
	unique_contributors BIGINT,
	last_attempt DOUBLE,
	last_processed_at DOUBLE,
	created_at DOUBLE NOT NULL,
	updated_at DOUBLE NOT NULL,
	"key" TEXT NOT NULL,
	host TEXT NOT NULL,
	owner TEXT NOT NULL,
	name TEXT NOT NULL,
	error_code TEXT,
	head TEXT,
	branch TEXT,
	mailmap TEXT,
	lease_holder TEXT,
	client_id TEXT,
	progress TEXT,
	unresolved_reason TEXT,
	merge_commits BIGINT,
	counting_version INTEGER,
	generation INTEGER DEFAULT '0' NOT NULL,
	crashes INTEGER DEFAULT '0' NOT NULL,
	attempts INTEGER DEFAULT '0' NOT NULL,
	lease_token BIGINT DEFAULT '0' NOT NULL,
	virtual_start DOUBLE DEFAULT '0' NOT NULL,
	lease_until DOUBLE,
	enqueued_at DOUBLE,
	not_before DOUBLE,
	commits_processed_at DOUBLE,
	users_processed_at DOUBLE, refresh_error TEXT, refresh_error_at DOUBLE, is_slow BOOLEAN DEFAULT 0 NOT NULL, clone_bytes BIGINT, trimmed_commits BIGINT DEFAULT '0' NOT NULL, count_id BIGINT DEFAULT '0' NOT NULL, head_committed_at BIGINT, roots TEXT, is_recount BOOLEAN DEFAULT 0 NOT NULL, revision TEXT, parent_key TEXT, last_read_at DOUBLE, base TEXT, search_text TEXT DEFAULT '' NOT NULL, people BIGINT, next_ordinal BIGINT DEFAULT 0 NOT NULL, waiting_reason TEXT, waiting_code TEXT, gone_since DOUBLE, gone_checked_at DOUBLE, gone_code TEXT, hidden_at DOUBLE, forgotten_at DOUBLE, unresolved_code TEXT, accounts_again_at DOUBLE, transient_attempts INTEGER DEFAULT 0 NOT NULL, accounts_tries INTEGER DEFAULT 0 NOT NULL, host_number TEXT, check_at DOUBLE, checked_at DOUBLE, refresh_every DOUBLE, pushed_at DOUBLE, hook_due_at DOUBLE, name_taken_at DOUBLE, taken_number TEXT, is_scheduled BOOLEAN DEFAULT 0 NOT NULL, hook_wants_check BOOLEAN DEFAULT 0 NOT NULL,
	CONSTRAINT pk_repository PRIMARY KEY (id),
	CONSTRAINT uq_repository_url UNIQUE (url),
	CONSTRAINT uq_repository_key UNIQUE ("key"),
	CONSTRAINT ck_repository_state CHECK (state IN ('pending', 'commits_processing', 'users_processing', 'completed', 'failed'))
);

CREATE INDEX ix_repository_state_enqueued_at ON repository (state, enqueued_at);

CREATE INDEX ix_repository_virtual_start ON repository (virtual_start, id) WHERE state IN ('pending', 'commits_processing');

CREATE INDEX ix_repository_client_id ON repository (client_id) WHERE client_id IS NOT NULL;

CREATE INDEX ix_repository_failed ON repository (updated_at) WHERE state = 'failed';

CREATE TABLE known_email (
	host TEXT NOT NULL,
	email TEXT NOT NULL,
	contributor_id INTEGER,
	source TEXT NOT NULL,
	known_at DOUBLE NOT NULL,
	CONSTRAINT pk_known_email PRIMARY KEY (host, email),
	CONSTRAINT fk_known_email_contributor_id_contributor FOREIGN KEY(contributor_id) REFERENCES contributor (id) ON DELETE CASCADE,
	CONSTRAINT ck_known_email_source CHECK (source IN ('noreply', 'host', 'no-answer'))
);

CREATE INDEX ix_known_email_contributor_id ON known_email (contributor_id);

CREATE TABLE "contributor" (
	id INTEGER NOT NULL,
	account_id BIGINT,
	username TEXT,
	name TEXT,
	avatar_url TEXT,
	profile_url TEXT,
	created_at DOUBLE NOT NULL,
	updated_at DOUBLE NOT NULL,
	host TEXT NOT NULL,
	is_bot BOOLEAN DEFAULT 0 NOT NULL,
	enriched_at DOUBLE,
	CONSTRAINT pk_contributor PRIMARY KEY (id),
	CONSTRAINT uq_contributor_host_account_id UNIQUE (host, account_id)
);

CREATE TABLE github_limit (
	"key" TEXT NOT NULL,
	held_until DOUBLE NOT NULL,
	CONSTRAINT pk_github_limit PRIMARY KEY ("key")
);

CREATE TABLE worker (
	id TEXT NOT NULL,
	host TEXT NOT NULL,
	pid INTEGER NOT NULL,
	version TEXT NOT NULL,
	queues TEXT NOT NULL,
	report TEXT NOT NULL,
	started_at DOUBLE NOT NULL,
	seen_at DOUBLE NOT NULL,
	CONSTRAINT pk_worker PRIMARY KEY (id)
);

CREATE TABLE hidden_count (
	repository_id INTEGER NOT NULL,
	count_id BIGINT NOT NULL,
	CONSTRAINT pk_hidden_count PRIMARY KEY (repository_id, count_id),
	CONSTRAINT fk_hidden_count_repository_id_repository FOREIGN KEY(repository_id) REFERENCES repository (id) ON DELETE CASCADE
);

CREATE INDEX ix_repository_state_counting_version ON repository (state, counting_version);

CREATE TABLE commit_log (
	repository_id INTEGER NOT NULL,
	count_id BIGINT NOT NULL,
	segment INTEGER NOT NULL,
	base_oid TEXT NOT NULL,
	head_oid TEXT NOT NULL,
	commits INTEGER NOT NULL,
	is_coarse BOOLEAN NOT NULL,
	authors BLOB NOT NULL,
	dates BLOB NOT NULL,
	named BLOB NOT NULL,
	named_sets BLOB NOT NULL,
	roles BLOB NOT NULL,
	role_sets BLOB NOT NULL,
	oids BLOB NOT NULL,
	CONSTRAINT pk_commit_log PRIMARY KEY (repository_id, count_id, segment),
	CONSTRAINT fk_commit_log_repository_id_repository FOREIGN KEY(repository_id) REFERENCES repository (id) ON DELETE CASCADE
);

CREATE TABLE "commit_data" (
	id INTEGER NOT NULL,
	repository_id INTEGER NOT NULL,
	email TEXT NOT NULL,
	name TEXT NOT NULL,
	mailmap_email TEXT NOT NULL,
	mailmap_name TEXT NOT NULL,
	mailmap_identity TEXT NOT NULL,
	kind TEXT DEFAULT 'human' NOT NULL,
	commit_count BIGINT DEFAULT '0' NOT NULL,
	merge_count BIGINT DEFAULT '0' NOT NULL,
	sample_sha TEXT NOT NULL,
	sample_co_authors INTEGER DEFAULT '0' NOT NULL,
	other_sha TEXT,
	processed BOOLEAN DEFAULT 0 NOT NULL,
	batch INTEGER,
	claim_token TEXT,
	claim_until DOUBLE,
	count_id BIGINT DEFAULT '0' NOT NULL,
	mailmap_source TEXT DEFAULT ('') NOT NULL,
	ordinal INTEGER NOT NULL,
	sample_at BIGINT,
	role_only BOOLEAN DEFAULT 0 NOT NULL, base_commit_count BIGINT DEFAULT '0' NOT NULL, base_merge_count BIGINT DEFAULT '0' NOT NULL, base_named BOOLEAN DEFAULT 0 NOT NULL,
	CONSTRAINT pk_commit_data PRIMARY KEY (id),
	CONSTRAINT fk_commit_data_repository_id_repository FOREIGN KEY(repository_id) REFERENCES repository (id) ON DELETE CASCADE,
	CONSTRAINT ck_commit_data_kind CHECK (kind IN ('human', 'bot', 'agent')),
	CONSTRAINT uq_commit_data_repository_id_count_id_email_name UNIQUE (repository_id, count_id, email, name)
);

CREATE INDEX ix_commit_data_email ON commit_data (email);

CREATE INDEX ix_commit_data_unprocessed ON commit_data (repository_id, count_id, batch) WHERE NOT processed;

CREATE INDEX ix_repository_parent_key ON repository (parent_key) WHERE parent_key IS NOT NULL;

CREATE INDEX ix_contributor_login ON contributor (host, lower(username));

CREATE INDEX ix_repository_due_at ON repository ((
CASE
    WHEN enqueued_at IS NULL OR enqueued_at < lease_until OR enqueued_at < not_before THEN
    CASE
        WHEN COALESCE(lease_until, 0) > COALESCE(not_before, 0) THEN COALESCE(lease_until, 0)
        ELSE COALESCE(not_before, 0)
    END
    WHEN updated_at >= enqueued_at THEN updated_at + 30
    WHEN (enqueued_at - updated_at) < 30 THEN enqueued_at + 30
    WHEN (enqueued_at - updated_at) < 3600 THEN enqueued_at + (enqueued_at - updated_at)
    ELSE enqueued_at + 3600
END), id) WHERE host <> '' AND state <> 'completed' AND state <> 'failed';

CREATE INDEX ix_repository_quiet_since ON repository (state, (
CASE
    WHEN COALESCE(lease_until, 0) >= COALESCE(not_before, 0) AND COALESCE(lease_until, 0) >= COALESCE(enqueued_at, 0) AND COALESCE(lease_until, 0) >= updated_at THEN COALESCE(lease_until, 0)
    WHEN COALESCE(not_before, 0) >= COALESCE(enqueued_at, 0) AND COALESCE(not_before, 0) >= updated_at THEN COALESCE(not_before, 0)
    WHEN COALESCE(enqueued_at, 0) >= updated_at THEN COALESCE(enqueued_at, 0)
    ELSE updated_at
END), id) WHERE host <> '' AND state <> 'completed' AND state <> 'failed';

CREATE INDEX ix_repository_queued_until ON repository (not_before) WHERE host <> '' AND state <> 'completed' AND state <> 'failed' AND state <> 'users_processing' AND not_before IS NOT NULL;

CREATE INDEX ix_repository_waiting ON repository (host) WHERE waiting_code IS NOT NULL;

CREATE INDEX ix_repository_tried_again ON repository (state, not_before) WHERE state = 'completed' AND not_before IS NOT NULL;

CREATE INDEX ix_repository_accounts_again_at ON repository (accounts_again_at) WHERE unresolved_reason IS NOT NULL AND coalesce(unresolved_code, '') <> 'final' AND state = 'completed' AND host <> '';

CREATE INDEX ix_repository_hidden_at ON repository (hidden_at) WHERE hidden_at IS NOT NULL;

CREATE INDEX ix_repository_read ON repository (created_at, id, state, host, parent_key, search_text, hidden_at) WHERE host <> '' AND parent_key IS NULL;

CREATE INDEX ix_repository_state_read ON repository (state, created_at, id, host, parent_key, hidden_at) WHERE host <> '' AND parent_key IS NULL;

CREATE TABLE git_host (
	host TEXT NOT NULL,
	failures INTEGER DEFAULT 0 NOT NULL,
	down_since DOUBLE,
	next_try_at DOUBLE,
	message TEXT,
	failed_repository_id BIGINT,
	probe_repository_id BIGINT,
	CONSTRAINT pk_git_host PRIMARY KEY (host)
);

CREATE TABLE worker_fault (
	repository_id INTEGER NOT NULL,
	worker_id TEXT NOT NULL,
	code TEXT NOT NULL,
	message TEXT NOT NULL,
	at DOUBLE NOT NULL,
	try_again_at DOUBLE,
	CONSTRAINT pk_worker_fault PRIMARY KEY (repository_id, worker_id),
	CONSTRAINT fk_worker_fault_repository_id_repository FOREIGN KEY(repository_id) REFERENCES repository (id) ON DELETE CASCADE
);

CREATE TABLE audit_log (
	id INTEGER NOT NULL,
	at DOUBLE NOT NULL,
	actor TEXT NOT NULL,
	act TEXT NOT NULL,
	subject TEXT NOT NULL,
	detail TEXT,
	CONSTRAINT pk_audit_log PRIMARY KEY (id)
);

CREATE TABLE instance_secret (
	name TEXT NOT NULL,
	value BLOB NOT NULL,
	CONSTRAINT pk_instance_secret PRIMARY KEY (name)
);

CREATE TABLE block (
	kind TEXT NOT NULL,
	value TEXT NOT NULL,
	subject TEXT,
	swept_to BIGINT,
	reason TEXT,
	at DOUBLE NOT NULL,
	CONSTRAINT pk_block PRIMARY KEY (kind, value),
	CONSTRAINT ck_block_kind CHECK (kind IN ('repository', 'owner', 'address', 'person'))
);

CREATE TABLE compatible_revision (
	revision TEXT NOT NULL,
	CONSTRAINT pk_compatible_revision PRIMARY KEY (revision)
);

CREATE INDEX ix_repository_unscheduled ON repository (refresh_every, COALESCE(last_read_at, created_at)) WHERE check_at IS NULL AND host <> '' AND hidden_at IS NULL AND name_taken_at IS NULL AND (state = 'completed' OR state = 'failed' AND error_code IN ('empty', 'no-default-branch', 'unreachable'));

CREATE INDEX ix_repository_quick_now ON repository (virtual_start, id) WHERE host <> '' AND state <> 'completed' AND state <> 'failed' AND state <> 'users_processing' AND not_before IS NULL AND NOT is_slow;

CREATE INDEX ix_repository_quick_of_host ON repository (host, virtual_start, id) WHERE host <> '' AND state <> 'completed' AND state <> 'failed' AND state <> 'users_processing' AND not_before IS NULL AND NOT is_slow;

CREATE INDEX ix_repository_slow ON repository (virtual_start, id) WHERE host <> '' AND state <> 'completed' AND state <> 'failed' AND state <> 'users_processing' AND is_slow;

CREATE INDEX ix_repository_held ON repository (host) WHERE lease_holder IS NOT NULL;

CREATE INDEX ix_repository_check_at ON repository (check_at) WHERE check_at IS NOT NULL;

CREATE INDEX ix_repository_host_number ON repository (host, host_number) WHERE host_number IS NOT NULL;

CREATE INDEX ix_repository_hook_due_at ON repository (hook_due_at) WHERE hook_due_at IS NOT NULL;

CREATE INDEX ix_repository_undecided ON repository (name_taken_at) WHERE taken_number IS NOT NULL;

CREATE TABLE former_name (
	"key" TEXT NOT NULL,
	repository_id INTEGER NOT NULL,
	former_id BIGINT,
	at DOUBLE NOT NULL,
	CONSTRAINT pk_former_name PRIMARY KEY ("key"),
	CONSTRAINT fk_former_name_repository_id_repository FOREIGN KEY(repository_id) REFERENCES repository (id) ON DELETE CASCADE
);

CREATE INDEX ix_former_name_repository_id ON former_name (repository_id);

CREATE INDEX ix_former_name_former_id ON former_name (former_id);

CREATE TABLE pause (
	kind TEXT NOT NULL,
	name TEXT NOT NULL,
	at DOUBLE NOT NULL,
	CONSTRAINT pk_pause PRIMARY KEY (kind, name),
	CONSTRAINT ck_pause_kind CHECK (kind IN ('schedule', 'host', 'repository'))
);

CREATE TABLE host_limit (
	host TEXT NOT NULL,
	at_once INTEGER NOT NULL,
	CONSTRAINT pk_host_limit PRIMARY KEY (host)
);

INSERT INTO compatible_revision (revision) VALUES ('a5d07c41e9b2');

INSERT INTO compatible_revision (revision) VALUES ('db231556a330');

INSERT INTO alembic_version (version_num) VALUES ('a5d07c41e9b2')
