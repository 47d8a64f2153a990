-- CASE duplicate rows lost
-- strict wrong, bird-ex right, soft-f1 1.0, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value wrong
-- GOLD
SELECT country FROM author
-- PREDICTION
SELECT country FROM author GROUP BY country ORDER BY min(id)

-- CASE duplicate rows gained
-- strict wrong, bird-ex right, soft-f1 1.0, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value wrong
-- GOLD
SELECT name FROM author
-- PREDICTION
SELECT name FROM author UNION ALL SELECT name FROM author

-- CASE the same set in as many rows
-- NOTE BIRD compares sets; the others count each row.
-- strict wrong, bird-ex right, soft-f1 1.0, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value right
-- GOLD
SELECT 'a' UNION ALL SELECT 'a' UNION ALL SELECT 'b' FROM author WHERE id = 1
-- PREDICTION
SELECT lower('A') UNION ALL SELECT lower('B') UNION ALL SELECT lower('B')

-- CASE another order where the gold has none
-- strict right, bird-ex right, soft-f1 0.0, spider-ex right, spider-ts right, keep_distinct right, plug_value right
-- GOLD
SELECT name FROM author WHERE id < 3
-- PREDICTION
SELECT name FROM author WHERE id < 3 ORDER BY id DESC

-- CASE another order where the gold orders
-- strict wrong, bird-ex right, soft-f1 0.0, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value wrong
-- GOLD
SELECT name FROM author WHERE id < 3 ORDER BY id
-- PREDICTION
SELECT name FROM author WHERE id < 3 ORDER BY id DESC

-- CASE ORDER BY with two spaces
-- NOTE Spider looks for the letters "order by" with one space.
-- strict wrong, bird-ex right, soft-f1 0.0, spider-ex right, spider-ts right, keep_distinct right, plug_value right
-- GOLD
SELECT name FROM author WHERE id < 3 ORDER  BY id
-- PREDICTION
SELECT name FROM author WHERE id < 3 ORDER BY id DESC

-- CASE ORDER BY in a subquery only
-- strict right, bird-ex right, soft-f1 0.0, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value wrong
-- GOLD
SELECT name FROM author WHERE id IN (SELECT id FROM author ORDER BY id LIMIT 2)
-- PREDICTION
SELECT name FROM author WHERE id < 3 ORDER BY id DESC

-- CASE order by in a literal
-- strict right, bird-ex right, soft-f1 0.5, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value wrong
-- GOLD
SELECT name, 'order by' FROM author WHERE id < 3
-- PREDICTION
SELECT name, 'order by' FROM author WHERE id < 3 ORDER BY id DESC

-- CASE a row missing
-- strict wrong, bird-ex wrong, soft-f1 0.857, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value wrong
-- GOLD
SELECT name FROM author
-- PREDICTION
SELECT name FROM author WHERE name <> (SELECT name FROM author WHERE id = (SELECT max(id) FROM author))

-- CASE empty and empty, of other columns
-- strict wrong, bird-ex right, soft-f1 1.0, spider-ex right, spider-ts right, keep_distinct right, plug_value right
-- GOLD
SELECT name FROM author WHERE 0
-- PREDICTION
SELECT id, country FROM author WHERE NULL

-- CASE nothing where the gold has rows
-- strict wrong, bird-ex wrong, soft-f1 0.0, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value wrong
-- GOLD
SELECT name FROM author
-- PREDICTION
SELECT name FROM author WHERE id IS NULL

-- CASE rows where the gold has none
-- strict wrong, bird-ex wrong, soft-f1 0.0, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value wrong
-- GOLD
SELECT name FROM author WHERE id IS NULL
-- PREDICTION
SELECT name FROM author

-- CASE right by luck on the main instance
-- strict wrong, bird-ex right, soft-f1 1.0, spider-ex right, spider-ts wrong, keep_distinct right, plug_value right
-- GOLD
SELECT count(*) FROM author
-- PREDICTION
SELECT 4
