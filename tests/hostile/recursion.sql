-- name: endless rows  expect: too_large
WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n
-- name: endless count  expect: timeout
WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n
-- name: endless without the word  expect: timeout
WITH n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n
-- name: endless without a change  expect: timeout
WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT sum(x) FROM n
-- name: endless with distinct rows  expect: too_large or timeout
WITH RECURSIVE n(x) AS (SELECT 1 UNION SELECT x + 1 FROM n) SELECT count(*) FROM n
-- name: endless and never a row  expect: timeout
WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n WHERE x < 0
-- name: endless in a condition  expect: timeout
SELECT 1 WHERE 0 IN (WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n)
-- name: endless in exists  expect: timeout
SELECT 1 WHERE EXISTS (WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n WHERE x < 0)
-- name: endless in the limit  expect: timeout
SELECT 1 LIMIT (WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n)
-- name: endless in the order  expect: too_large or timeout
WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n ORDER BY 1 DESC) SELECT count(*) FROM n
-- name: endless and sorted  expect: too_large or timeout
WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n ORDER BY x DESC LIMIT 1
-- name: twice as many each time  expect: too_large or timeout
WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n UNION ALL SELECT x + 2 FROM n) SELECT count(*) FROM n
-- name: joined with itself by the book  expect: too_large or timeout
WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT b.id FROM n, book b) SELECT count(*) FROM n
-- name: longer each time  expect: too_large or timeout
WITH RECURSIVE n(x) AS (SELECT 'a' UNION ALL SELECT x || x FROM n) SELECT length(x) FROM n
-- name: longer each time and never a row  expect: too_large or timeout
WITH RECURSIVE n(x) AS (SELECT 'a' UNION ALL SELECT x || hex(zeroblob(1000)) FROM n) SELECT x FROM n WHERE x = ''
-- name: a window over an endless table  expect: too_large or timeout
WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x, sum(x) OVER (ORDER BY x) FROM n
-- name: two endless tables  expect: timeout or too_large
WITH RECURSIVE a(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM a), b(y) AS (SELECT 1 UNION ALL SELECT y + 1 FROM b) SELECT count(*) FROM a, b
-- name: endless pictures  expect: timeout
WITH RECURSIVE m(x, y) AS (SELECT 0.0, 0.0 UNION ALL SELECT x * x - y * y + 0.3, 2 * x * y + 0.5 FROM m) SELECT total(x) FROM m
-- name: with calls itself in a circle  expect: error
WITH a AS (SELECT * FROM b), b AS (SELECT * FROM a) SELECT * FROM a
-- name: with calls itself twice  expect: error or too_large or timeout
WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT a.x FROM n a, n b) SELECT count(*) FROM n
-- name: with calls itself in a sum  expect: error
WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT max(x) FROM n) SELECT x FROM n
-- name: recursion with an end  expect: ok
WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 100) SELECT count(*), sum(x) FROM n
-- name: recursion cut by a limit  expect: ok
WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n LIMIT 5
