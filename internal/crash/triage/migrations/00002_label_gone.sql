-- +goose Up
-- Labels that were deleted or merged, with what brings them back; for seven days.
CREATE TABLE triage_label_gone (
  id       text   NOT NULL PRIMARY KEY,
  owner    text   NOT NULL,
  name     text   NOT NULL,
  colour   bigint NOT NULL,
  about    text   NOT NULL,
  merged   text   NOT NULL, -- the label that it became part of; "" = it was deleted
  families bigint NOT NULL, -- that wore it
  left_by  text   NOT NULL, -- where it was: families, changes, filters; JSON
  at_ms    bigint NOT NULL
);
CREATE INDEX triage_label_gone_at ON triage_label_gone (at_ms);
