-- CASE a gold that fails
-- strict none, bird-ex none, soft-f1 none, spider-ex none, spider-ts none, keep_distinct none, plug_value none
-- GOLD
SELECT nowhere FROM author
-- PREDICTION
SELECT nowhere FROM author

-- CASE a gold that fails, and an empty prediction
-- strict none, bird-ex none, soft-f1 none, spider-ex none, spider-ts none, keep_distinct none, plug_value none
-- GOLD
SELECT nowhere FROM author
-- PREDICTION
SELECT name FROM author WHERE 0

-- CASE a prediction that fails, and an empty gold
-- strict wrong, bird-ex wrong, soft-f1 0.0, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value wrong
-- GOLD
SELECT name FROM author WHERE 0
-- PREDICTION
SELECT nowhere FROM author WHERE 0

-- CASE a gold without end, and an empty prediction
-- strict none, bird-ex none, soft-f1 none, spider-ex none, spider-ts none, keep_distinct none, plug_value none
-- GOLD
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n
-- PREDICTION
SELECT name FROM author WHERE 0

-- CASE a prediction without end, and an empty gold
-- strict wrong, bird-ex wrong, soft-f1 0.0, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value wrong
-- GOLD
SELECT name FROM author WHERE 0
-- PREDICTION
WITH RECURSIVE n(i) AS (SELECT id FROM author UNION ALL SELECT i FROM n) SELECT count(*) FROM n
