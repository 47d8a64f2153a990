-- CASE a second statement
-- NOTE With DISTINCT ignored, Spider's evaluator runs the first statement alone.
-- strict wrong, bird-ex wrong, soft-f1 0.0, spider-ex right, spider-ts right, keep_distinct wrong, plug_value right
-- GOLD
SELECT name FROM author
-- PREDICTION
SELECT name FROM author; DROP TABLE author;

-- CASE prose behind the statement
-- strict wrong, bird-ex wrong, soft-f1 0.0, spider-ex right, spider-ts right, keep_distinct wrong, plug_value right
-- GOLD
SELECT name FROM author
-- PREDICTION
SELECT name FROM author;
This query lists every author's name.

-- CASE prose before the statement
-- strict wrong, bird-ex wrong, soft-f1 0.0, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value wrong
-- GOLD
SELECT name FROM author
-- PREDICTION
The answer is: SELECT name FROM author

-- CASE a fence around it
-- strict wrong, bird-ex wrong, soft-f1 0.0, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value wrong
-- GOLD
SELECT name FROM author
-- PREDICTION
```sql
SELECT name FROM author
```

-- CASE a comment first
-- strict right, bird-ex right, soft-f1 1.0, spider-ex right, spider-ts right, keep_distinct right, plug_value right
-- GOLD
SELECT name FROM author
-- PREDICTION
-- all of them
/* and; no more */ SELECT name FROM author;

-- CASE a common table expression
-- strict right, bird-ex right, soft-f1 1.0, spider-ex right, spider-ts right, keep_distinct right, plug_value right
-- GOLD
SELECT name FROM author
-- PREDICTION
WITH every AS (SELECT * FROM author) SELECT name FROM every

-- CASE a PRAGMA
-- strict wrong, bird-ex wrong, soft-f1 0.0, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value wrong
-- GOLD
SELECT 1
-- PREDICTION
PRAGMA query_only

-- CASE a statement that changes the schema, and an empty gold
-- NOTE Officially it runs, gives no row, and so is right; here it is refused.
-- strict wrong, bird-ex wrong, soft-f1 0.0, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value wrong
-- GOLD
SELECT name FROM author WHERE 0
-- PREDICTION
CREATE TABLE other (a)

-- CASE no text, and an empty gold
-- NOTE Officially no text gives no row, and so is right (but for Spider's evaluator, DISTINCT ignored); here it is refused.
-- strict wrong, bird-ex wrong, soft-f1 0.0, spider-ex wrong, spider-ts wrong, keep_distinct wrong, plug_value wrong
-- GOLD
SELECT name FROM author WHERE 0
-- PREDICTION
