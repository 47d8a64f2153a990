-- name: parentheses  expect: error or ok
SELECT ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))
-- name: many parentheses  expect: error or ok
SELECT {5000*(} 1 {5000*)}
-- name: a long sum  expect: error
SELECT {3000*1+} 1
-- name: a long conjunction  expect: error
SELECT 1 WHERE {2000*1 AND } 1
-- name: many minus signs  expect: error or ok
SELECT {4000*- } 1
-- name: many nots  expect: error or ok
SELECT {3000*NOT } 1
-- name: nested subqueries  expect: error or ok or timeout
SELECT * FROM {300*(SELECT * FROM } book {300*)}
-- name: nested scalar subqueries  expect: error or ok or timeout
SELECT {400*(SELECT } 1 {400*)}
-- name: nested exists  expect: error or ok or timeout
SELECT 1 WHERE {300*EXISTS (SELECT 1 WHERE } 1 {300*)}
-- name: nested functions  expect: error or ok
SELECT {1500*abs(} 1 {1500*)}
-- name: nested cases  expect: error or ok
SELECT {700*CASE WHEN 1 THEN } 1 {700* END}
-- name: nested common tables  expect: error or ok or timeout
{200*WITH a AS (} SELECT 1 {200*) SELECT * FROM a}
-- name: many common tables, each twice the one before  expect: timeout or ok or too_large or error
WITH a0 AS (SELECT id FROM book), a1 AS (SELECT * FROM a0 UNION ALL SELECT * FROM a0), a2 AS (SELECT * FROM a1 UNION ALL SELECT * FROM a1), a3 AS (SELECT * FROM a2 UNION ALL SELECT * FROM a2), a4 AS (SELECT * FROM a3 UNION ALL SELECT * FROM a3), a5 AS (SELECT * FROM a4 UNION ALL SELECT * FROM a4), a6 AS (SELECT * FROM a5 UNION ALL SELECT * FROM a5), a7 AS (SELECT * FROM a6 UNION ALL SELECT * FROM a6), a8 AS (SELECT * FROM a7 UNION ALL SELECT * FROM a7), a9 AS (SELECT * FROM a8 UNION ALL SELECT * FROM a8), b0 AS (SELECT * FROM a9 UNION ALL SELECT * FROM a9), b1 AS (SELECT * FROM b0 UNION ALL SELECT * FROM b0), b2 AS (SELECT * FROM b1 UNION ALL SELECT * FROM b1), b3 AS (SELECT * FROM b2 UNION ALL SELECT * FROM b2), b4 AS (SELECT * FROM b3 UNION ALL SELECT * FROM b3), b5 AS (SELECT * FROM b4 UNION ALL SELECT * FROM b4), b6 AS (SELECT * FROM b5 UNION ALL SELECT * FROM b5) SELECT count(*) FROM b6
-- name: many common tables, each joined with itself  expect: timeout or error or too_large
WITH a AS (SELECT id FROM book), b AS (SELECT x.id FROM a x, a y), c AS (SELECT x.id FROM b x, b y), d AS (SELECT x.id FROM c x, c y), e AS (SELECT x.id FROM d x, d y) SELECT count(*) FROM e
-- name: long union  expect: error
SELECT 1 {600* UNION ALL SELECT 1}
-- name: long list  expect: ok
SELECT 1 WHERE 5 IN ({3000*5,} 5)
-- name: many columns  expect: error
SELECT {2500*1,} 1
-- name: many columns from stars  expect: error
SELECT {900**,} * FROM book
-- name: many arguments  expect: error
SELECT max({300*1,} 1)
-- name: many orders  expect: error
SELECT id FROM book ORDER BY {2500*id,} id
-- name: many concatenations  expect: error
SELECT {3000*''||} ''
-- name: many operators that bind to the right  expect: error or ok
SELECT {900*1 COLLATE nocase || } 1
-- name: many likes  expect: error
SELECT {1200*'a' LIKE } 'a'
-- name: open parentheses  expect: error
SELECT {5000*(}
-- name: closed parentheses  expect: error
SELECT 1 {5000*)}
-- name: many joins in brackets  expect: error or timeout
SELECT count(*) FROM {90*(} book {90* JOIN book USING (id)})
-- name: long name  expect: error
SELECT {19000*a}
-- name: long comment  expect: ok
SELECT 1 -- {19000*x}
-- name: many comments  expect: ok
SELECT {4000*/**/} 1
-- name: long number  expect: ok
SELECT {10000*9}
-- name: long exponent  expect: ok
SELECT 1e{10000*9}
-- name: long blob  expect: ok
SELECT x'{9000*00}'
-- name: odd blob  expect: error
SELECT x'000'
-- name: longer than any statement may be  expect: refused
SELECT {20000*1+} 1
