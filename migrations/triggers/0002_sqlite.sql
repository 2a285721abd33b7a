CREATE TRIGGER notices_keep_update BEFORE UPDATE ON notices WHEN NOT (FALSE) BEGIN SELECT RAISE(ABORT, 'notices are kept as they are'); END
CREATE TRIGGER notices_keep_delete BEFORE DELETE ON notices WHEN NOT (FALSE) BEGIN SELECT RAISE(ABORT, 'notices are kept as they are'); END
CREATE TRIGGER publications_keep_update BEFORE UPDATE ON publications WHEN NOT (FALSE) BEGIN SELECT RAISE(ABORT, 'publications are kept as they are'); END
CREATE TRIGGER publications_keep_delete BEFORE DELETE ON publications WHEN NOT (FALSE) BEGIN SELECT RAISE(ABORT, 'publications are kept as they are'); END
CREATE TRIGGER widgets_keep_update BEFORE UPDATE ON widgets WHEN NOT (FALSE) BEGIN SELECT RAISE(ABORT, 'widgets are kept as they are'); END
CREATE TRIGGER widgets_keep_delete BEFORE DELETE ON widgets WHEN NOT (FALSE) BEGIN SELECT RAISE(ABORT, 'widgets are kept as they are'); END
CREATE TRIGGER leaves_keep_update BEFORE UPDATE ON leaves WHEN NOT (FALSE) BEGIN SELECT RAISE(ABORT, 'leaves are kept as they are'); END
CREATE TRIGGER leaves_keep_delete BEFORE DELETE ON leaves WHEN NOT (FALSE) BEGIN SELECT RAISE(ABORT, 'leaves are kept as they are'); END
CREATE TRIGGER checkpoints_keep_update BEFORE UPDATE ON checkpoints WHEN NOT (FALSE) BEGIN SELECT RAISE(ABORT, 'checkpoints are kept as they are'); END
CREATE TRIGGER checkpoints_keep_delete BEFORE DELETE ON checkpoints WHEN NOT (FALSE) BEGIN SELECT RAISE(ABORT, 'checkpoints are kept as they are'); END
CREATE TRIGGER removals_keep_update BEFORE UPDATE ON removals WHEN NOT (FALSE) BEGIN SELECT RAISE(ABORT, 'removals are kept as they are'); END
CREATE TRIGGER removals_keep_delete BEFORE DELETE ON removals WHEN NOT (FALSE) BEGIN SELECT RAISE(ABORT, 'removals are kept as they are'); END
CREATE TRIGGER removed_keep_update BEFORE UPDATE ON removed WHEN NOT (FALSE) BEGIN SELECT RAISE(ABORT, 'removed are kept as they are'); END
CREATE TRIGGER removed_keep_delete BEFORE DELETE ON removed WHEN NOT (FALSE) BEGIN SELECT RAISE(ABORT, 'removed are kept as they are'); END
CREATE TRIGGER decisions_keep_update BEFORE UPDATE ON decisions WHEN NOT (FALSE) BEGIN SELECT RAISE(ABORT, 'decisions are kept as they are'); END
CREATE TRIGGER decisions_keep_delete BEFORE DELETE ON decisions WHEN NOT (EXISTS (SELECT 1 FROM leaves WHERE leaves.decision_row = OLD.id AND leaves.leaf_index <= (SELECT removed.last FROM removed WHERE removed.site_id = leaves.site_id AND removed.first <= leaves.leaf_index ORDER BY removed.first DESC LIMIT 1))) BEGIN SELECT RAISE(ABORT, 'decisions are kept as they are'); END
CREATE TRIGGER tiles_keep_update BEFORE UPDATE ON tiles WHEN NOT (substr(NEW.hashes, 1, length(OLD.hashes)) = OLD.hashes) BEGIN SELECT RAISE(ABORT, 'tiles are kept as they are'); END
CREATE TRIGGER tiles_keep_delete BEFORE DELETE ON tiles WHEN NOT (FALSE) BEGIN SELECT RAISE(ABORT, 'tiles are kept as they are'); END
