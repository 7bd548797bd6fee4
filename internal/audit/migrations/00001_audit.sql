-- +goose Up
CREATE TABLE audit_entry (
  n    bigint NOT NULL PRIMARY KEY, -- 0, 1, 2 … without gaps
  body text   NOT NULL              -- canonical JSON, the bytes that are hashed
);

CREATE TABLE audit_hash (
  n    bigint NOT NULL PRIMARY KEY, -- index as in golang.org/x/mod/sumdb/tlog
  hash text   NOT NULL              -- base64
);
