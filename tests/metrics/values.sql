-- CASE NULL is not the empty text
-- strict wrong, bird-ex wrong, soft-f1 0.0, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value wrong
-- GOLD
SELECT NULL
-- PREDICTION
SELECT ''

-- CASE NULL equals NULL
-- strict right, bird-ex right, soft-f1 1.0, spider-ex right, spider-ts right, keep_distinct right, plug_value right
-- GOLD
SELECT NULL
-- PREDICTION
SELECT max(id) FROM author WHERE 0

-- CASE an integer equals the float of its value
-- strict right, bird-ex right, soft-f1 1.0, spider-ex right, spider-ts right, keep_distinct right, plug_value right
-- GOLD
SELECT count(*) FROM author WHERE country = 'SE'
-- PREDICTION
SELECT total(1) FROM author WHERE country = 'SE'

-- CASE an integer does not equal its text
-- strict wrong, bird-ex wrong, soft-f1 0.0, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value wrong
-- GOLD
SELECT id FROM author
-- PREDICTION
SELECT CAST(id AS TEXT) FROM author

-- CASE float noise
-- strict right, bird-ex wrong, soft-f1 0.0, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value wrong
-- GOLD
SELECT 0.3
-- PREDICTION
SELECT 0.1 + 0.2

-- CASE 10 and 1.0 beside each other
-- NOTE Spider's quick check sorts a row's cells as text: 10 before 1, and 1.0 before 10. So equal rows differ.
-- strict right, bird-ex right, soft-f1 1.0, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value wrong
-- GOLD
SELECT count(*) * 10, count(*) FROM author WHERE country = 'SE'
-- PREDICTION
SELECT count(*) * 10, total(1) FROM author WHERE country = 'SE'

-- CASE huge integers one apart
-- strict wrong, bird-ex wrong, soft-f1 0.0, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value right
-- GOLD
SELECT 9007199254740993
-- PREDICTION
SELECT 9007199254740992

-- CASE the largest integer
-- strict right, bird-ex right, soft-f1 1.0, spider-ex right, spider-ts right, keep_distinct right, plug_value right
-- GOLD
SELECT 9223372036854775807
-- PREDICTION
SELECT 0x7fffffffffffffff

-- CASE text and blob
-- strict wrong, bird-ex wrong, soft-f1 0.0, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value wrong
-- GOLD
SELECT name FROM author
-- PREDICTION
SELECT CAST(name AS BLOB) FROM author

-- CASE LIKE ignores case
-- strict right, bird-ex right, soft-f1 1.0, spider-ex right, spider-ts right, keep_distinct right, plug_value right
-- GOLD
SELECT id FROM author WHERE name IN ('Ada', 'ada')
-- PREDICTION
SELECT id FROM author WHERE name LIKE 'ADA'

-- CASE the case of a result counts
-- strict wrong, bird-ex wrong, soft-f1 0.0, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value wrong
-- GOLD
SELECT name FROM author
-- PREDICTION
SELECT upper(name) FROM author
