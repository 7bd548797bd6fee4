-- +goose Up
CREATE TABLE answer (
  family     text   NOT NULL PRIMARY KEY,
  impact     text   NOT NULL,
  expected   text   NOT NULL,
  workaround text   NOT NULL,
  fixed_in   text   NOT NULL,
  wanted     text   NOT NULL,
  title      text   NOT NULL,
  notes      text   NOT NULL,
  public_id  text   NOT NULL,
  published  bigint NOT NULL,
  version    bigint NOT NULL,
  at_ms      bigint NOT NULL
);
CREATE TABLE answer_entry (
  id       text   NOT NULL,
  n        bigint NOT NULL,
  family   text   NOT NULL,
  subject  text   NOT NULL,
  since_ms bigint NOT NULL,
  at_ms    bigint NOT NULL,
  body     text   NOT NULL,
  audit_n  bigint NOT NULL,
  newest   bigint NOT NULL,
  gone     bigint NOT NULL,
  PRIMARY KEY (id, n)
);
CREATE INDEX answer_entry_newest ON answer_entry (newest, gone, since_ms);
CREATE TABLE answer_withdrawn (
  crash   text   NOT NULL PRIMARY KEY,
  project bigint NOT NULL,
  at_ms   bigint NOT NULL,
  done    bigint NOT NULL
);
CREATE INDEX answer_withdrawn_at ON answer_withdrawn (at_ms);
CREATE TABLE answer_added (
  crash text   NOT NULL,
  note  text   NOT NULL,
  at_ms bigint NOT NULL,
  PRIMARY KEY (crash, note)
);
