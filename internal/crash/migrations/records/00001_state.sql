-- +goose Up
CREATE TABLE crash_state (
  family      text   NOT NULL PRIMARY KEY,
  state       text   NOT NULL,
  resolved_in text   NOT NULL,
  regressed   bigint NOT NULL,
  at_ms       bigint NOT NULL
);
CREATE INDEX crash_state_state ON crash_state (state);
CREATE TABLE crash_change (
  id               text   NOT NULL PRIMARY KEY,
  family           text   NOT NULL,
  n                bigint NOT NULL,
  at_ms            bigint NOT NULL,
  actor            text   NOT NULL,
  from_state       text   NOT NULL,
  from_resolved_in text   NOT NULL,
  from_regressed   bigint NOT NULL,
  from_at_ms       bigint NOT NULL,
  to_state         text   NOT NULL,
  to_resolved_in   text   NOT NULL,
  note             text   NOT NULL,
  undoes           text   NOT NULL,
  undone           bigint NOT NULL,
  UNIQUE (family, n)
);
