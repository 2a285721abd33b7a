CREATE TRIGGER timestamps_keep_update BEFORE UPDATE ON timestamps WHEN NOT (FALSE) BEGIN SELECT RAISE(ABORT, 'timestamps are kept as they are'); END
CREATE TRIGGER timestamps_keep_delete BEFORE DELETE ON timestamps WHEN NOT (FALSE) BEGIN SELECT RAISE(ABORT, 'timestamps are kept as they are'); END
