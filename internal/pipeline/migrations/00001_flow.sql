-- +goose Up
-- The one batch that may have to be replayed: its place in the stream and what was decided.
CREATE TABLE flow_batch (
  one       bigint NOT NULL PRIMARY KEY,
  after_seq bigint NOT NULL,
  upto_seq  bigint NOT NULL,
  decisions bytea  NOT NULL
);
CREATE TABLE flow_letter (
  id          text   NOT NULL PRIMARY KEY,
  at_ms       bigint NOT NULL,
  received_ms bigint NOT NULL,
  project     bigint NOT NULL,
  extension   text   NOT NULL,
  host        text   NOT NULL,
  install     bigint NOT NULL,
  protocol    text   NOT NULL,
  kind        text   NOT NULL,
  stage       text   NOT NULL,
  reason      text   NOT NULL,
  seq         bigint NOT NULL,
  bytes       bigint NOT NULL,
  state       text   NOT NULL,
  record      bytea  NOT NULL
);
CREATE INDEX flow_letter_at ON flow_letter (at_ms);
CREATE INDEX flow_letter_state ON flow_letter (state);
CREATE TABLE flow_count (
  hour     bigint NOT NULL,
  project  bigint NOT NULL,
  protocol text   NOT NULL,
  kind     text   NOT NULL,
  outcome  text   NOT NULL,
  reason   text   NOT NULL,
  n        bigint NOT NULL,
  PRIMARY KEY (hour, project, protocol, kind, outcome, reason)
);
