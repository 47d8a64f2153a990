-- CASE DISTINCT in the prediction only
-- strict wrong, bird-ex right, soft-f1 1.0, spider-ex right, spider-ts right, keep_distinct wrong, plug_value right
-- GOLD
SELECT country FROM author
-- PREDICTION
SELECT DISTINCT country FROM author

-- CASE DISTINCT in the gold only
-- strict wrong, bird-ex right, soft-f1 1.0, spider-ex right, spider-ts right, keep_distinct wrong, plug_value right
-- GOLD
SELECT distinct country FROM author
-- PREDICTION
SELECT country FROM author

-- CASE COUNT of DISTINCT values
-- strict wrong, bird-ex wrong, soft-f1 0.0, spider-ex right, spider-ts right, keep_distinct wrong, plug_value right
-- GOLD
SELECT COUNT(DISTINCT country) FROM author
-- PREDICTION
SELECT COUNT(country) FROM author

-- CASE the word in a literal stays
-- strict right, bird-ex right, soft-f1 1.0, spider-ex right, spider-ts right, keep_distinct right, plug_value right
-- GOLD
SELECT 'distinct' || upper(name) FROM author
-- PREDICTION
SELECT 'distinct' || upper(name) FROM author /* distinct */

-- CASE a grouping in place of DISTINCT
-- strict right, bird-ex right, soft-f1 1.0, spider-ex wrong, spider-ts wrong, keep_distinct right, plug_value wrong
-- GOLD
SELECT DISTINCT country FROM author
-- PREDICTION
SELECT country FROM author GROUP BY country ORDER BY min(id)
