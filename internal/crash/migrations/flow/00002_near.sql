-- +goose Up
-- Families that crashes were nearly as similar to as to their own: possible merges.
CREATE TABLE crash_near (
  family text             NOT NULL,
  other  text             NOT NULL,
  score  double precision NOT NULL,
  last_ms bigint          NOT NULL,
  PRIMARY KEY (family, other)
);
CREATE INDEX crash_near_other ON crash_near (other);
