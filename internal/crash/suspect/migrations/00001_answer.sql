-- +goose Up
-- What the evidence says of a family. The newest row of a family is what it says
-- now; a new row begins when it names something else.
CREATE TABLE suspect_answer (
  family   text   NOT NULL,
  since_ms bigint NOT NULL,
  at_ms    bigint NOT NULL,
  crashes  bigint NOT NULL,
  named    text   NOT NULL,
  answer   bytea  NOT NULL,
  PRIMARY KEY (family, since_ms)
);
CREATE INDEX suspect_answer_at ON suspect_answer (at_ms);
