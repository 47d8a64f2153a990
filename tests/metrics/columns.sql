-- CASE columns swapped
-- strict wrong, bird-ex wrong, soft-f1 1.0, spider-ex right, spider-ts right, keep_distinct right, plug_value right
-- GOLD
SELECT id, name FROM author
-- PREDICTION
SELECT name, id FROM author

-- CASE four columns turned round
-- strict wrong, bird-ex wrong, soft-f1 1.0, spider-ex right, spider-ts right, keep_distinct right, plug_value right
-- GOLD
SELECT id, name, country, price FROM author
-- PREDICTION
SELECT price, country, name, id FROM author

-- CASE columns swapped under ORDER BY
-- strict wrong, bird-ex wrong, soft-f1 1.0, spider-ex right, spider-ts right, keep_distinct right, plug_value right
-- GOLD
SELECT id, name FROM author ORDER BY id
-- PREDICTION
SELECT name, id FROM author ORDER BY id

-- CASE swapped in one row only
-- NOTE One permutation must do for all rows.
-- strict wrong, bird-ex wrong, soft-f1 1.0, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value right
-- GOLD
SELECT id, id + 10 FROM author
-- PREDICTION
SELECT iif(id = 2, 12, id), iif(id = 2, 2, id + 10) FROM author

-- CASE a column missing
-- strict wrong, bird-ex wrong, soft-f1 0.667, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value wrong
-- GOLD
SELECT id, name FROM author
-- PREDICTION
SELECT name FROM author

-- CASE a column too many
-- strict wrong, bird-ex wrong, soft-f1 0.667, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value wrong
-- GOLD
SELECT name FROM author
-- PREDICTION
SELECT name, id FROM author

-- CASE names of columns do not count
-- strict right, bird-ex right, soft-f1 1.0, spider-ex right, spider-ts right, keep_distinct right, plug_value right
-- GOLD
SELECT id, name FROM author
-- PREDICTION
SELECT id AS key, name AS title FROM author

-- CASE duplicate column names
-- strict right, bird-ex right, soft-f1 1.0, spider-ex right, spider-ts right, keep_distinct right, plug_value right
-- GOLD
SELECT id, name, country FROM author
-- PREDICTION
SELECT a.id, a.name, a.country AS name FROM author AS a

-- CASE duplicate column names hide nothing
-- strict wrong, bird-ex wrong, soft-f1 0.5, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value wrong
-- GOLD
SELECT a.id, b.id FROM author AS a JOIN author AS b ON b.id = a.id + 1 WHERE a.id = 1
-- PREDICTION
SELECT a.id, b.name AS id FROM author AS a JOIN author AS b ON b.id = a.id + 1 WHERE a.id = 1
