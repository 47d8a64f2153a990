-- CASE another literal
-- strict wrong, bird-ex wrong, soft-f1 0.0, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value right
-- GOLD
SELECT id FROM author WHERE name = 'Bo'
-- PREDICTION
SELECT id FROM author WHERE name = "Bob"

-- CASE two literals, one of them right
-- strict wrong, bird-ex wrong, soft-f1 0.0, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value right
-- GOLD
SELECT name FROM author WHERE country = 'UK' AND price > 9.25
-- PREDICTION
SELECT name FROM author WHERE price > 9.75 AND country = 'UK' AND price < price + 1

-- CASE a number in place of a text
-- strict wrong, bird-ex wrong, soft-f1 0.0, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value right
-- GOLD
SELECT 1
-- PREDICTION
SELECT '1'

-- CASE a number in a name is no literal
-- strict right, bird-ex right, soft-f1 1.0, spider-ex right, spider-ts right, keep_distinct right, plug_value right
-- GOLD
SELECT T1.name FROM author AS T1 LIMIT 2
-- PREDICTION
SELECT name FROM author LIMIT 2

-- CASE a gold without literals
-- strict wrong, bird-ex wrong, soft-f1 0.0, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value wrong
-- GOLD
SELECT name FROM author
-- PREDICTION
SELECT name FROM author WHERE id = 77
