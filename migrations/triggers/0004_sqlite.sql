CREATE TRIGGER cosignatures_keep_update BEFORE UPDATE ON cosignatures WHEN NOT (FALSE) BEGIN SELECT RAISE(ABORT, 'cosignatures are kept as they are'); END
CREATE TRIGGER cosignatures_keep_delete BEFORE DELETE ON cosignatures WHEN NOT (FALSE) BEGIN SELECT RAISE(ABORT, 'cosignatures are kept as they are'); END
