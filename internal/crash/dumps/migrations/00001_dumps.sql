-- +goose Up
CREATE TABLE dump_policy (
	project BIGINT PRIMARY KEY,
	days    INTEGER NOT NULL
);
CREATE TABLE dump_kept (
	crash   TEXT PRIMARY KEY, -- 32 hex digits
	project BIGINT NOT NULL,
	install BIGINT NOT NULL,  -- the pseudonym, as a signed number; 0 = none
	scope   TEXT NOT NULL,    -- of the keys it is sealed with
	size    BIGINT NOT NULL,  -- bytes before sealing
	kept    BIGINT NOT NULL,  -- Unix milliseconds
	until   BIGINT NOT NULL
);
CREATE INDEX dump_kept_until ON dump_kept (until);
CREATE INDEX dump_kept_install ON dump_kept (project, install);
