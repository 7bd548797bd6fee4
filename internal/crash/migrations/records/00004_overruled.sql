-- +goose Up
-- What people say of a family's priority instead of the machine; ended_ms 0 = it holds.
CREATE TABLE crash_overruled (
  id       text   NOT NULL PRIMARY KEY,
  family   text   NOT NULL,
  band     text   NOT NULL,
  reason   text   NOT NULL,
  actor    text   NOT NULL,
  at_ms    bigint NOT NULL,
  ended_ms bigint NOT NULL,
  ended_by text   NOT NULL
);
CREATE INDEX crash_overruled_family ON crash_overruled (family);
