-- CASE value inside a literal
-- NOTE Spider's evaluator replaces the letters by 1 in the prediction, and in it alone.
-- strict right, bird-ex right, soft-f1 1.0, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value right
-- GOLD
SELECT 'value'
-- PREDICTION
SELECT 'value'

-- CASE a column called value
-- strict right, bird-ex right, soft-f1 1.0, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value wrong
-- GOLD
SELECT value FROM label
-- PREDICTION
SELECT value FROM label

-- CASE a column called Value
-- strict right, bird-ex right, soft-f1 1.0, spider-ex right, spider-ts right, keep_distinct right, plug_value right
-- GOLD
SELECT value FROM label
-- PREDICTION
SELECT Value FROM label

-- CASE the placeholder value
-- strict wrong, bird-ex wrong, soft-f1 0.0, spider-ex right, spider-ts right, keep_distinct right, plug_value right
-- GOLD
SELECT name FROM author WHERE id = 1
-- PREDICTION
SELECT name FROM author WHERE id = value

-- CASE an operator in two parts
-- strict wrong, bird-ex wrong, soft-f1 0.0, spider-ex right, spider-ts right, keep_distinct right, plug_value right
-- GOLD
SELECT name FROM author WHERE id >= 3
-- PREDICTION
SELECT name FROM author WHERE id > = 3

-- CASE the year of MySQL
-- strict wrong, bird-ex wrong, soft-f1 0.0, spider-ex right, spider-ts right, keep_distinct right, plug_value right
-- GOLD
SELECT 2020
-- PREDICTION
SELECT year ( curdate() )

-- CASE the year of MySQL before a word
-- NOTE Its replacement swallows the space behind it: "2020AND" is no SQL.
-- strict wrong, bird-ex wrong, soft-f1 0.0, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value wrong
-- GOLD
SELECT name FROM author WHERE id = 1
-- PREDICTION
SELECT name FROM author WHERE 2020 = YEAR(CURDATE()) AND id = 1

-- CASE text that is not UTF-8
-- strict right, bird-ex none, soft-f1 none, spider-ex right, spider-ts right, keep_distinct right, plug_value right
-- GOLD
SELECT t FROM broken
-- PREDICTION
SELECT max(t) FROM broken

-- CASE text that is not UTF-8 in the prediction
-- NOTE Spider's evaluator leaves the broken byte out.
-- strict wrong, bird-ex wrong, soft-f1 0.0, spider-ex right, spider-ts right, keep_distinct right, plug_value right
-- GOLD
SELECT upper('a')
-- PREDICTION
SELECT t FROM broken
