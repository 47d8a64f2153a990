-- CASE a product of a million rows
-- NOTE strict takes 10,000 rows.
-- strict wrong, bird-ex right, soft-f1 1.0, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value wrong
-- GOLD
SELECT lower('X')
-- PREDICTION
SELECT lower('X') FROM digit a, digit b, digit c, digit d, digit e, digit f
