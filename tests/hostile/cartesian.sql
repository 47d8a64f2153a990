-- name: four times all rows  expect: too_large
SELECT * FROM book a, book b, book c, book d
-- name: eight times, counted  expect: timeout
SELECT count(*) FROM book a, book b, book c, book d, book e, book f, book g, book h
-- name: cross joins  expect: timeout
SELECT sum(a.price) FROM book a CROSS JOIN book b CROSS JOIN book c CROSS JOIN book d CROSS JOIN book e CROSS JOIN book f
-- name: a forgotten condition  expect: too_large
SELECT b.title, a.name FROM book b, author a, book c, book d
-- name: a condition that is always true  expect: timeout
SELECT count(*) FROM book a JOIN book b ON 1 JOIN book c ON 1 JOIN book d ON 1 JOIN book e ON 1 JOIN book f ON 1 JOIN book g ON 1
-- name: unequal join  expect: timeout
SELECT count(*) FROM book a, book b, book c, book d, book e, book f WHERE a.id <> b.id AND b.id <> c.id AND c.id <> d.id AND e.price <> f.price
-- name: unequal join without a match  expect: timeout
SELECT a.id FROM book a, book b, book c, book d, book e, book f WHERE a.price + b.price + c.price + d.price + e.price + f.price < 0
-- name: distinct of a product  expect: timeout or too_large
SELECT DISTINCT a.id + b.id + c.id + d.id + e.id + f.id FROM book a, book b, book c, book d, book e, book f
-- name: sorted product  expect: too_large or timeout
SELECT a.title FROM book a, book b, book c, book d, book e ORDER BY a.title || b.title || c.title || d.title || e.title LIMIT 1
-- name: grouped product  expect: too_large or timeout
SELECT a.id, b.id, c.id, d.id, count(*) FROM book a, book b, book c, book d, book e GROUP BY 1, 2, 3, 4
-- name: correlated counts  expect: timeout
SELECT (SELECT count(*) FROM book b, book c, book d, book e WHERE b.id > a.id), (SELECT count(*) FROM book b, book c, book d, book e, book f) FROM book a
-- name: not in a product  expect: timeout or too_large
SELECT id FROM book WHERE id NOT IN (SELECT a.id + b.id + c.id + d.id + e.id + 1000 FROM book a, book b, book c, book d, book e)
-- name: product of unions  expect: timeout
SELECT count(*) FROM (SELECT id FROM book UNION ALL SELECT id FROM book) a, (SELECT id FROM book UNION ALL SELECT id FROM book) b, book c, book d, book e, book f
-- name: product of values  expect: timeout
WITH v(x) AS (VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10)) SELECT count(*) FROM v a, v b, v c, v d, v e, v f, v g, v h, v i, v j
-- name: full outer joins  expect: timeout or error
SELECT count(*) FROM book a FULL JOIN book b ON a.id < b.id FULL JOIN book c ON b.id > c.id FULL JOIN book d ON 1 FULL JOIN book e ON 1 FULL JOIN book f ON 1
-- name: natural joins of nothing shared  expect: timeout
SELECT count(*) FROM (SELECT id AS a FROM book) NATURAL JOIN (SELECT id AS b FROM book) NATURAL JOIN (SELECT id AS c FROM book) NATURAL JOIN (SELECT id AS d FROM book) NATURAL JOIN (SELECT id AS e FROM book) NATURAL JOIN (SELECT id AS f FROM book)
-- name: windows over a product  expect: too_large or timeout
SELECT rank() OVER (PARTITION BY a.id ORDER BY b.title, c.title), a.id FROM book a, book b, book c, book d
-- name: union of products  expect: timeout or too_large
SELECT a.id, b.id, c.id, d.id, e.id FROM book a, book b, book c, book d, book e INTERSECT SELECT a.id, b.id, c.id, d.id, e.id FROM book a, book b, book c, book d, book e
-- name: the schema with itself  expect: timeout
SELECT count(*) FROM sqlite_master a, sqlite_master b, sqlite_master c, sqlite_master d, sqlite_master e, sqlite_master f, sqlite_master g, sqlite_master h
-- name: five hundred columns of a product  expect: too_large
SELECT a.*, b.*, c.*, d.*, a.*, b.*, c.*, d.* FROM book a, book b, book c, book d
-- name: more tables than a join may have  expect: error
SELECT count(*) FROM book, book a1, book a2, book a3, book a4, book a5, book a6, book a7, book a8, book a9, book b0, book b1, book b2, book b3, book b4, book b5, book b6, book b7, book b8, book b9, book c0, book c1, book c2, book c3, book c4, book c5, book c6, book c7, book c8, book c9, book d0, book d1, book d2, book d3, book d4, book d5, book d6, book d7, book d8, book d9, book e0, book e1, book e2, book e3, book e4, book e5, book e6, book e7, book e8, book e9, book f0, book f1, book f2, book f3, book f4, book f5, book f6, book f7, book f8, book f9, book g0, book g1, book g2, book g3, book g4, book g5
-- name: a small product is allowed  expect: ok
SELECT count(*) FROM book a, book b
