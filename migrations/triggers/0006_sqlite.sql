CREATE TRIGGER configurations_keep_update BEFORE UPDATE ON configurations WHEN NOT (FALSE) BEGIN SELECT RAISE(ABORT, 'configurations are kept as they are'); END
CREATE TRIGGER configurations_keep_delete BEFORE DELETE ON configurations WHEN NOT (FALSE) BEGIN SELECT RAISE(ABORT, 'configurations are kept as they are'); END
CREATE TRIGGER pictures_keep_update BEFORE UPDATE ON pictures WHEN NOT (FALSE) BEGIN SELECT RAISE(ABORT, 'pictures are kept as they are'); END
CREATE TRIGGER pictures_keep_delete BEFORE DELETE ON pictures WHEN NOT (FALSE) BEGIN SELECT RAISE(ABORT, 'pictures are kept as they are'); END
